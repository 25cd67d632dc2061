// SPDX-License-Identifier: Apache-2.0
internal import Client
internal import Glibc

/// Nobody reads our standard output any more.
struct ReaderGone: Error {}

/// A descriptor that is written at once, without a buffer: a container's output is live, and nothing is lost when the
/// process ends.
struct Output: Sendable {
    static let standard = Output(descriptor: STDOUT_FILENO)
    static let standardError = Output(descriptor: STDERR_FILENO)

    let descriptor: Int32

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes everything. Throws ReaderGone for a broken pipe, and a Failure for a full disk and the like.
    func write(_ bytes: some Collection<UInt8>) throws {
        if let done: Void = try bytes.withContiguousStorageIfAvailable({ try writeAll(UnsafeRawBufferPointer($0)) }) {
            return done
        }
        try Array(bytes).withUnsafeBytes(writeAll)
    }

    func text(_ text: String) throws {
        var text = text
        try text.withUTF8 { try writeAll(UnsafeRawBufferPointer($0)) }
    }

    func line(_ line: String) throws {
        try text(line.hasSuffix("\n") ? line : line + "\n")
    }

    /// Tells of an error. If that cannot be written either there is nobody left to tell.
    func report(_ failure: Failure) {
        try? text(failure.lines)
    }

    private func writeAll(_ buffer: UnsafeRawBufferPointer) throws {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            let code = errno
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch code {
            case EINTR:
                continue
            case EAGAIN:
                // Somebody else made the file non-blocking; the flag belongs to the open file, not to us.
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
            case EPIPE:
                throw ReaderGone()
            default:
                let name = descriptor == STDERR_FILENO ? "standard error" : "standard output"
                throw Failure("cannot write to \(name): \(errnoText(code))")
            }
        }
    }
}
