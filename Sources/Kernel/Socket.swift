// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// Unix stream sockets with path names (unix(7)). All are non-blocking and close on exec.
public enum UnixSocket {
    /// Who connected: the ids at the time of connect(2), or of listen(2) for the other side.
    public struct Credentials: Hashable, Sendable {
        public var pid: Int32
        public var uid: UInt32
        public var gid: UInt32
    }

    /// What one try to read or write came to.
    public enum Transfer: Equatable {
        case bytes(Int)
        /// Nothing can be moved now; epoll will tell.
        case wouldBlock
        /// The peer has closed, or the connection was reset.
        case closed
    }

    public static func make() throws(SystemError) -> Descriptor {
        let kind = Int32(GANTRY_SOCK_STREAM | GANTRY_SOCK_CLOEXEC | GANTRY_SOCK_NONBLOCK)
        return Descriptor(owning: try systemCall("socket", "unix") { socket(AF_UNIX, kind, 0) })
    }

    /// A connected pair.
    public static func pair() throws(SystemError) -> (Int32, Int32) {
        let kind = Int32(GANTRY_SOCK_STREAM | GANTRY_SOCK_CLOEXEC | GANTRY_SOCK_NONBLOCK)
        var ends: [Int32] = [-1, -1]
        try systemCall("socketpair", "unix") { socketpair(AF_UNIX, kind, 0, &ends) }
        return (ends[0], ends[1])
    }

    /// Binds and listens. The mode is in force before the first connection can be made: nobody can connect between
    /// bind(2) and listen(2), and the file starts without any permission (bind takes the mode of the socket's inode).
    /// EADDRINUSE when the path exists, whatever it is.
    public static func listen(_ path: String, mode: UInt32, backlog: Int32 = 1_024) throws(SystemError) -> Descriptor {
        let listener = try make()
        let number = listener.raw
        try systemCall("fchmod", path) { fchmod(number, 0) }
        var (address, length) = try address(path)
        try systemCall("bind", path) { gantry_bind_unix(number, &address, length) }
        do throws(SystemError) {
            try systemCall("chmod", path) { chmod(path, mode) }
            try systemCall("listen", path) { Glibc.listen(number, backlog) }
        } catch {
            unlink(path)
            throw error
        }
        return listener
    }

    /// Starts to connect. False: the listener's backlog is full (connect gives EAGAIN on Unix sockets, and epoll does
    /// not tell when to try again).
    public static func connect(_ descriptor: borrowing Descriptor, _ path: String) throws(SystemError) -> Bool {
        let number = descriptor.raw
        var (address, length) = try address(path)
        do throws(SystemError) {
            try systemCall("connect", path) { gantry_connect_unix(number, &address, length) }
            return true
        } catch  where error.errno == .resourceTemporarilyUnavailable {
            return false
        }
    }

    /// Connects, waiting while the listener's backlog is full: up to `timeout`, then ETIMEDOUT. Blocks the thread.
    public static func connect(_ path: String, timeout: Duration) throws(SystemError) -> Descriptor {
        let kind = Int32(GANTRY_SOCK_STREAM | GANTRY_SOCK_CLOEXEC)
        let blocking = Descriptor(owning: try systemCall("socket", "unix") { socket(AF_UNIX, kind, 0) })
        let number = blocking.raw
        let (seconds, attoseconds) = timeout.components
        // Zero would mean for ever (socket(7)).
        var limit = timeval(tv_sec: Int(max(0, seconds)), tv_usec: Int(max(1, attoseconds / 1_000_000_000_000)))
        try systemCall("setsockopt", "SO_SNDTIMEO") {
            setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard try connect(blocking, path) else { throw SystemError("connect", path, .timedOut) }
        try systemCall("fcntl", path) { fcntl(number, F_SETFL, O_NONBLOCK) }
        return blocking
    }

    /// The next connection that waits; nil when there is none.
    public static func accept(_ number: Int32) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return Descriptor(owning: try systemCall("accept4", "descriptor \(number)") { gantry_accept(number) })
        } catch  where error.errno == .resourceTemporarilyUnavailable || error.errno == .connectionAbort {
            return nil
        }
    }

    public static func credentials(_ descriptor: borrowing Descriptor) throws(SystemError) -> Credentials {
        let number = descriptor.raw
        var peer = Credentials(pid: 0, uid: 0, gid: 0)
        try systemCall("getsockopt", "SO_PEERCRED") {
            gantry_peer_credentials(number, &peer.pid, &peer.uid, &peer.gid)
        }
        return peer
    }

    /// The process that connected, also when it has ended meanwhile (SO_PEERPIDFD, Linux 6.5). nil: the kernel does not
    /// know, or is older.
    public static func peerProcess(_ number: Int32) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return Descriptor(owning: try systemCall("getsockopt", "SO_PEERPIDFD") { gantry_peer_pidfd(number) })
        } catch  where error.errno == .protocolNotAvailable || error.errno == .noData || error.errno == .noSuchProcess {
            return nil
        }
    }

    /// Whether it is a listening Unix stream socket.
    public static func isListener(_ number: Int32) -> Bool { gantry_is_unix_listener(number) == 1 }

    /// Reads into the first buffer, and what does not fit there into the second. Together they must have room.
    public static func receive(
        _ number: Int32, into first: UnsafeMutableRawBufferPointer, then second: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Transfer {
        if first.isEmpty {
            return try transfer("read", number, whenZero: .closed) { read(number, second.baseAddress, second.count) }
        }
        var buffers = (
            iovec(iov_base: first.baseAddress, iov_len: first.count),
            iovec(iov_base: second.baseAddress, iov_len: second.count)
        )
        return try withUnsafeBytes(of: &buffers) { (bytes) throws(SystemError) -> Transfer in
            try transfer("readv", number, whenZero: .closed) {
                readv(number, bytes.assumingMemoryBound(to: iovec.self).baseAddress, 2)
            }
        }
    }

    /// Writes a buffer without SIGPIPE.
    public static func send(_ number: Int32, _ buffer: UnsafeRawBufferPointer) throws(SystemError) -> Transfer {
        try transfer("send", number, whenZero: .bytes(0)) {
            Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
    }

    /// Writes the buffers, one after the other, without SIGPIPE. At most 1,024 buffers (IOV_MAX).
    public static func send(
        _ number: Int32, _ buffers: some Collection<UnsafeRawBufferPointer>
    ) throws(SystemError) -> Transfer {
        try withUnsafeTemporaryAllocation(of: iovec.self, capacity: buffers.count) {
            (vector) throws(SystemError) -> Transfer in
            for (index, buffer) in buffers.enumerated() {
                let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
                vector.initializeElement(at: index, to: iovec(iov_base: start, iov_len: buffer.count))
            }
            return try transfer("sendmsg", number, whenZero: .bytes(0)) {
                gantry_send_vector(number, vector.baseAddress, vector.count)
            }
        }
    }

    static func transfer(
        _ operation: String, _ number: Int32, whenZero: Transfer, _ body: () -> Int
    ) throws(SystemError) -> Transfer {
        do throws(SystemError) {
            let count = try systemCall(operation, "descriptor \(number)", body)
            return count == 0 ? whenZero : .bytes(count)
        } catch {
            switch error.errno {
            case .resourceTemporarilyUnavailable: return .wouldBlock
            case .connectionReset, .brokenPipe: return .closed
            default: throw error
            }
        }
    }

    private static func address(_ path: String) throws(SystemError) -> (sockaddr_un, Int32) {
        var address = sockaddr_un()
        var copy = path
        // An abstract name starts with NUL: whoever shares the network namespace could connect to it (CVE-2020-15257).
        let length = copy.withUTF8 { bytes -> Int32 in
            if bytes.contains(0) {
                errno = EINVAL
                return -1
            }
            return bytes.withMemoryRebound(to: CChar.self) { gantry_unix_address(&address, $0.baseAddress, $0.count) }
        }
        if length < 0 { throw SystemError("bind", path, Errno.current) }
        return (address, length)
    }
}
