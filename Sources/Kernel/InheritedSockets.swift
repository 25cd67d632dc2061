// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// Sockets that whoever started this process has bound for it (sd_listen_fds(3)): LISTEN_FDS of them from descriptor 3
/// on, if LISTEN_PID is this process.
public enum InheritedSockets {
    private static let first: Int32 = 3
    private static let limit: Int32 = 64

    /// Takes them, once, and before anything else opens descriptors: none for a process that was started otherwise.
    /// They close on exec from now on, and children do not see the variables.
    ///
    /// EINVAL for variables that make no sense, and for a descriptor that is no listening Unix socket.
    public static func take() throws(SystemError) -> [UnixListener.Inherited] {
        guard let count = try announced() else { return [] }
        var sockets: [UnixListener.Inherited] = []
        for number in first..<(first + count) {
            guard UnixSocket.isListener(number) else {
                throw SystemError("LISTEN_FDS", "descriptor \(number) is no listening Unix socket", .invalidArgument)
            }
            try systemCall("fcntl", "descriptor \(number)") { fcntl(number, F_SETFD, FD_CLOEXEC) }
            try systemCall("fcntl", "descriptor \(number)") {
                fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
            }
            sockets.append(UnixListener.Inherited(number: number))
        }
        return sockets
    }

    private static func announced() throws(SystemError) -> Int32? {
        guard let pid = variable("LISTEN_PID"), let count = variable("LISTEN_FDS") else { return nil }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        guard Int32(pid) == getpid() else { return nil }
        guard let count = Int32(count), (0...limit).contains(count) else {
            throw SystemError("LISTEN_FDS", count, .invalidArgument)
        }
        return count
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
