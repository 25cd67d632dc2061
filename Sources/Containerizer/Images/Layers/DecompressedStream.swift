// SPDX-License-Identifier: Apache-2.0

internal import CArchive
internal import Core
internal import Kernel
internal import SystemPackage

/// The bytes of an archive file after decompression, piece by piece, and their digest.
///
/// libarchive reads the tar format and decompresses in one go and does not show the bytes in between, whose digest is
/// the layer's identity (the OCI image specification's DiffID). So there are two readers: this one decompresses and
/// knows no format, the one in `TarSource` is fed by it.
final class DecompressedStream {
    private let archive: OpaquePointer
    private let path: String
    private let fileSize: UInt64
    private let limit: UInt64
    private let isCancelled: () -> Bool
    private var hash = SHA256()
    private var count: UInt64 = 0
    private var ended = false
    /// Why `read` failed: libarchive's callback can only say that it did.
    private(set) var failure: (any Error)?

    /// `file` stays open as long as the stream. More than `limit` bytes after decompression are an error.
    init(
        file: borrowing Descriptor, path: String, size: UInt64, limit: UInt64, isCancelled: @escaping () -> Bool
    ) throws {
        guard let archive = archive_read_new() else { throw SystemError("archive_read_new", path, .noMemory) }
        self.archive = archive
        (self.path, self.limit, self.isCancelled) = (path, limit, isCancelled)
        fileSize = size
        // A filter that libarchive was built without would start a program: that is ARCHIVE_WARN.
        for support in [
            archive_read_support_filter_gzip, archive_read_support_filter_zstd, archive_read_support_filter_xz,
            archive_read_support_format_raw,
        ] where support(archive) != ARCHIVE_OK {
            throw broken()
        }
        guard archive_read_open_fd(archive, file.raw, 1 << 18) == ARCHIVE_OK else { throw broken() }
        var entry: OpaquePointer?
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF: ended = true
        default: throw broken()
        }
        // The last filter is the file itself. Packed twice would hide the size of what is in between.
        guard archive_filter_count(archive) <= 2 else {
            throw ContainerError.brokenArchive(path, "it is compressed more than once")
        }
    }

    deinit {
        archive_read_free(archive)
    }

    /// Bytes of the file that are used up.
    var consumed: UInt64 { min(UInt64(clamping: archive_filter_bytes(archive, -1)), fileSize) }

    /// The next bytes, valid until the next call; empty at the end.
    func read() throws -> UnsafeRawBufferPointer {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        if ended { return empty }
        if isCancelled() { throw CancellationError() }
        var start: UnsafeRawPointer?
        var size = 0
        var offset: Int64 = 0
        switch archive_read_data_block(archive, &start, &size, &offset) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF:
            ended = true
            return empty
        default: throw broken()
        }
        count += UInt64(size)
        guard count <= limit else { throw ContainerError.importLimit("bytes after decompression", limit, at: path) }
        let bytes = UnsafeRawBufferPointer(start: start, count: size)
        hash.update(bytes)
        return bytes
    }

    /// Reads to the end and gives the digest and the length of all bytes.
    func finish() throws -> (digest: Digest, size: UInt64) {
        while !ended { _ = try read() }
        return (hash.finish(), count)
    }

    private func broken() -> ContainerError {
        .brokenArchive(path, archive_error_string(archive).map { String(cString: $0) } ?? "not readable")
    }

    /// Lets `reader` read these bytes. `self` must outlive it.
    func open(as reader: OpaquePointer) -> Int32 {
        archive_read_open(
            reader, Unmanaged.passUnretained(self).toOpaque(), nil,
            { _, context, bytes in
                guard let context, let bytes else { return -1 }
                let stream = Unmanaged<DecompressedStream>.fromOpaque(context).takeUnretainedValue()
                do {
                    // libarchive takes an empty piece for the end, and this stream's pieces are empty only there.
                    let piece = try stream.read()
                    bytes.pointee = piece.baseAddress
                    return piece.count
                } catch {
                    stream.failure = error
                    return -1
                }
            }, nil)
    }
}
