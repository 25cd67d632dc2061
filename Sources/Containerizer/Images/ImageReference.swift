// SPDX-License-Identifier: Apache-2.0

internal import Core

/// The name of an image: `[host[:port]/]path[:tag][@digest]` (provisioner.md 5), with Docker's rules for what the parts
/// may hold.
public struct ImageReference: Sendable, Hashable {
    /// Everything before the tag, with the registry if one is named.
    public var name: String
    public var tag: String?
    /// `sha256:` and 64 hexadecimal digits, of the image's manifest.
    public var digest: String?

    /// The name under which an image is stored: the tag is always there.
    public var canonical: String { "\(name):\(tag ?? "latest")" }

    /// Throws `image.bad-reference`.
    public init(_ text: String) throws {
        var rest = text[...]
        if let at = rest.firstIndex(of: "@") {
            let digest = String(rest[rest.index(after: at)...])
            guard Digest(text: digest) != nil else {
                throw Self.bad(text, "a digest is sha256: and 64 hexadecimal digits")
            }
            self.digest = digest
            rest = rest[..<at]
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let tag = rest[rest.index(after: colon)...]
            guard Self.isTag(tag) else {
                throw Self.bad(
                    text, "a tag is 1 to 128 letters, digits, '_', '.' and '-', and begins with none of '.' and '-'")
            }
            self.tag = String(tag)
            rest = rest[..<colon]
        }
        guard (1...255).contains(rest.utf8.count) else { throw Self.bad(text, "a name has 1 to 255 bytes") }
        name = String(rest)
        var components = rest.split(separator: "/", omittingEmptySubsequences: false)
        if components.count > 1, let first = components.first, Self.namesHost(first) {
            guard Self.isHost(first) else { throw Self.bad(text, "\(first) is no host name with an optional port") }
            components.removeFirst()
        }
        guard components.allSatisfy(Self.isPathComponent) else {
            throw Self.bad(
                text, "names are lower-case letters and digits, with single '.', '_', '__' or '-' between them")
        }
    }

    private static func bad(_ text: String, _ rule: String) -> ContainerError {
        ContainerError(
            .invalidArgument, code: "image.bad-reference", "image reference \"\(text.prefix(300))\": \(rule)",
            subject: String(text.prefix(300)), hint: "a reference looks like debian:12 or registry.example/team/app:1.0"
        )
    }

    /// The first of several components is a registry when it cannot be anything else.
    private static func namesHost(_ component: Substring) -> Bool {
        component.contains(".") || component.contains(":") || component == "localhost"
    }

    private static func isHost(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first?.utf8, let first = host.first, let last = host.last else {
            return false
        }
        if parts.count == 2, UInt16(parts[1]) == nil { return false }
        let inside = [UInt8(ascii: "."), UInt8(ascii: "-")]
        return isAlphanumeric(first) && isAlphanumeric(last)
            && host.allSatisfy { isAlphanumeric($0) || inside.contains($0) }
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first else { return false }
        let punctuation = [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")]
        return text.utf8.allSatisfy { isAlphanumeric($0) || punctuation.contains($0) }
            && first != UInt8(ascii: ".") && first != UInt8(ascii: "-")
    }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
    private static func isPathComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var seen = false
        for byte in text.utf8 {
            if isLower(byte) || isDigit(byte) {
                if !separator.isEmpty {
                    let allowed =
                        separator == [UInt8(ascii: ".")] || separator == [UInt8(ascii: "_")]
                        || separator == [UInt8(ascii: "_"), UInt8(ascii: "_")]
                        || separator.allSatisfy { $0 == UInt8(ascii: "-") }
                    guard seen, allowed else { return false }
                }
                seen = true
                separator = []
            } else if [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte) {
                separator.append(byte)
            } else {
                return false
            }
        }
        return seen && separator.isEmpty
    }

    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLower(byte) || isDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
