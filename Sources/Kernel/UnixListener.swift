// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// A listening Unix socket and the file that names it.
public struct UnixListener: ~Copyable, Sendable {
    public let descriptor: Descriptor
    public let path: String
    /// The file that bind made, to tell it from one that has taken its place.
    private let file: FileIdentity?

    private struct FileIdentity: Equatable {
        var device: UInt
        var inode: UInt
        var isSocket: Bool

        /// nil: there is no such file.
        init?(_ path: String) throws(SystemError) {
            var status = stat()
            do throws(SystemError) {
                try systemCall("lstat", path) { lstat(path, &status) }
            } catch  where error.errno == .noSuchFileOrDirectory {
                return nil
            }
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            isSocket = status.st_mode & S_IFMT == S_IFSOCK
        }
    }

    /// Binds and listens. A socket file that nobody answers on is what a daemon left that died: it is replaced. EADDRINUSE:
    /// somebody answers. EEXIST: the path is a file of another kind.
    ///
    /// Two daemons that start at the same moment over the same left-over file can both believe that they own it; the
    /// daemon's lock on its state directory is what rules that out.
    public init(_ path: String, mode: UInt32, backlog: Int32 = 1_024) throws(SystemError) {
        descriptor = try Self.bind(path, mode, backlog)
        self.path = path
        file = (try? FileIdentity(path)) ?? nil
    }

    /// One that this process was started with.
    public struct Inherited: Hashable, Sendable {
        public let number: Int32

        /// A listening, non-blocking Unix socket that closes on exec.
        public init(number: Int32) {
            self.number = number
        }

        /// The path that it is bound to, or the descriptor's number in words.
        public var path: String {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
                let count = gantry_socket_path(number, buffer.baseAddress)
                guard count > 0 else { return "descriptor \(number)" }
                return String(decoding: buffer[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
    }

    /// Takes a socket over, and closes it at its end. Its file belongs to whoever bound it, and stays.
    public init(_ inherited: Inherited) {
        descriptor = Descriptor(owning: inherited.number)
        path = inherited.path
        file = nil
    }

    private static func bind(_ path: String, _ mode: UInt32, _ backlog: Int32) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try UnixSocket.listen(path, mode: mode, backlog: backlog)
        } catch  where error.errno == .addressInUse {
            try removeStale(path)
            return try UnixSocket.listen(path, mode: mode, backlog: backlog)
        }
    }

    private static func removeStale(_ path: String) throws(SystemError) {
        guard let found = try FileIdentity(path) else { return }
        guard found.isSocket else { throw SystemError("bind", path, .fileExists) }
        do throws(SystemError) {
            // Connected, or a backlog so full that one cannot: both mean that somebody listens.
            _ = try UnixSocket.connect(UnixSocket.make(), path)
            throw SystemError("bind", path, .addressInUse)
        } catch  where error.errno == .connectionRefused || error.errno == .noSuchFileOrDirectory {
            guard try FileIdentity(path) == found else { return }
            unlink(path)
        }
    }

    /// Removes the file, unless another has taken its place. The socket closes when the value ends.
    public borrowing func unlinkFile() {
        let path = path
        if let file, (try? FileIdentity(path)) == file { unlink(path) }
    }
}
