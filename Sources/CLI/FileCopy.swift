// SPDX-License-Identifier: Apache-2.0
internal import Client
internal import Glibc

/// Copies a file as far as it goes now. A file that does not exist is empty.
func copyFile(_ path: String, to output: Output) throws {
    // The container owns the directory: it must not lead us to a file of another kind, or anywhere else.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    if descriptor < 0 {
        let code = errno
        if code == ENOENT { return }
        let status = code == EACCES ? ExitStatus.notPermitted : ExitStatus.failed
        throw Failure("cannot read \(path): \(errnoText(code))", exitCode: status)
    }
    defer { close(descriptor) }
    var info = stat()
    if fstat(descriptor, &info) != 0 || info.st_mode & S_IFMT != S_IFREG {
        throw Failure("cannot read \(path): it is no regular file")
    }
    try readAll(descriptor, path) { try output.write($0) }
}

/// Reads a descriptor to its end, in pieces.
func readAll(_ descriptor: Int32, _ name: String, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        let code = errno
        if count > 0 {
            try body(buffer[..<count])
        } else if count == 0 {
            return
        } else if code != EINTR {
            throw Failure("cannot read \(name): \(errnoText(code))")
        }
    }
}
