// SPDX-License-Identifier: Apache-2.0

internal import CNettle

/// A SHA-256 digest.
public struct Digest: Sendable, Hashable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public let hexadecimal: String

    /// `sha256:` and the digits, as manifests write it.
    public var description: String { "sha256:\(hexadecimal)" }

    /// The name of a directory in the store: a colon would separate layers in overlayfs's options.
    var directoryName: String { "sha256-\(hexadecimal)" }

    init(bytes: [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        hexadecimal = String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private init?(_ text: String, prefix: String) {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        let allowed = digits.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        guard digits.utf8.count == 64, allowed else { return nil }
        hexadecimal = String(digits)
    }

    public init?(text: String) {
        self.init(text, prefix: "sha256:")
    }

    init?(directoryName: String) {
        self.init(directoryName, prefix: "sha256-")
    }

    init(of content: [UInt8]) {
        var hash = SHA256()
        content.withUnsafeBytes { hash.update($0) }
        self = hash.finish()
    }
}

/// SHA-256 over a stream (nettle).
struct SHA256 {
    private var context = sha256_ctx()
    /// Bytes so far.
    private(set) var count: UInt64 = 0

    init() {
        nettle_sha256_init(&context)
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count += UInt64(bytes.count)
        nettle_sha256_update(&context, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    }

    mutating func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
        nettle_sha256_digest(&context, bytes.count, &bytes)
        return Digest(bytes: bytes)
    }
}
