// SPDX-License-Identifier: Apache-2.0

internal import CArchive
internal import Core
internal import Glibc
internal import Kernel
internal import SystemPackage

/// A tar archive, plain or packed with gzip, zstd or xz, read by libarchive. Its digest is that of the uncompressed
/// archive, byte for byte: the DiffID of the OCI image specification.
final class TarSource: LayerSource {
    private let file: Descriptor
    private let stream: DecompressedStream
    private let archive: OpaquePointer
    private let path: String
    private let fileSize: UInt64

    init(
        file: consuming Descriptor, path: String, size: UInt64, limits: ImportLimits,
        isCancelled: @escaping () -> Bool
    ) throws {
        stream = try DecompressedStream(
            file: file, path: path, size: size, limit: limits.streamBytes, isCancelled: isCancelled)
        self.file = file
        self.path = path
        fileSize = size
        guard let archive = archive_read_new() else { throw SystemError("archive_read_new", path, .noMemory) }
        self.archive = archive
        guard archive_read_support_format_tar(archive) == ARCHIVE_OK, stream.open(as: archive) == ARCHIVE_OK else {
            throw failure()
        }
    }

    deinit {
        archive_read_free(archive)
    }

    var position: (done: UInt64, total: UInt64) { (stream.consumed, fileSize) }

    func next() throws -> LayerEntry? {
        // Names in pax headers are UTF-8, and libarchive converts them to the thread's character set.
        let locale = ThreadLocale()
        defer { locale.restore() }
        var entry: OpaquePointer?
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF: return nil
        default: throw failure()
        }
        guard let entry else { throw failure() }
        return try layerEntry(entry)
    }

    func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
        var start: UnsafeRawPointer?
        var size = 0
        var offset: Int64 = 0
        switch archive_read_data_block(archive, &start, &size, &offset) {
        case ARCHIVE_OK: return (offset, UnsafeRawBufferPointer(start: start, count: size))
        case ARCHIVE_EOF: return nil
        default: throw failure()
        }
    }

    func finish() throws -> (digest: Digest, size: UInt64) {
        try stream.finish()
    }

    /// What libarchive complains about, unless the stream below had a better reason. Warnings count as errors: an entry
    /// that is not what the archive says is worse than none.
    private func failure() -> any Error {
        if let failure = stream.failure { return failure }
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "not readable"
        return ContainerError.brokenArchive(path, text)
    }

    private func layerEntry(_ entry: OpaquePointer) throws -> LayerEntry {
        guard let name = archive_entry_pathname(entry) else { throw failure() }
        return LayerEntry(
            path: Self.bytes(name), kind: try kind(entry), permissions: UInt32(archive_entry_mode(entry)) & 0o7777,
            userID: archive_entry_uid(entry), groupID: archive_entry_gid(entry),
            modifiedSeconds: Int64(archive_entry_mtime(entry)),
            modifiedNanoseconds: Int64(archive_entry_mtime_nsec(entry)), attributes: attributes(entry))
    }

    private func kind(_ entry: OpaquePointer) throws -> LayerEntry.Kind {
        if let target = archive_entry_hardlink(entry) { return .hardLink(Self.bytes(target)) }
        switch mode_t(archive_entry_filetype(entry)) {
        case S_IFREG:
            let size = archive_entry_size(entry)
            guard size >= 0 else { throw failure() }
            return .file(size: UInt64(size))
        case S_IFDIR: return .directory
        case S_IFLNK:
            guard let text = archive_entry_symlink(entry) else { throw failure() }
            return .symbolicLink(Self.bytes(text))
        case S_IFIFO: return .fifo
        case S_IFSOCK: return .socket
        case let type where type == S_IFCHR || type == S_IFBLK:
            return .device(
                isBlock: type == S_IFBLK, major: UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)),
                minor: UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)))
        default: throw failure()
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
    }

    private func attributes(_ entry: OpaquePointer) -> [ExtendedAttribute] {
        var found: [ExtendedAttribute] = []
        guard archive_entry_xattr_reset(entry) > 0 else { return found }
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK {
            guard let name else { continue }
            let text = String(cString: name)
            guard ExtendedAttribute.isAllowed(text) else { continue }
            found.append(ExtendedAttribute(name: text, value: Array(UnsafeRawBufferPointer(start: value, count: size))))
        }
        return found
    }
}

/// UTF-8 as the calling thread's character set (uselocale(3)), until it is restored: the daemon's own stays as it is.
private struct ThreadLocale {
    /// The address of glibc's built-in locale; made once, never freed.
    private static let utf8 = UInt(bitPattern: newlocale(1 << Int32(LC_CTYPE), "C.UTF-8", nil))
    private let before: locale_t?

    init() {
        before = locale_t(bitPattern: Self.utf8).flatMap { uselocale($0) }
    }

    func restore() {
        if let before { uselocale(before) }
    }
}
