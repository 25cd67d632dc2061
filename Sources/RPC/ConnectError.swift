// SPDX-License-Identifier: Apache-2.0
internal import Kernel
public import SystemPackage

/// A connection that could not be made.
public struct ConnectError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the socket.
    public var path: String
    /// ENOENT and ECONNREFUSED: nobody listens there. EACCES: not permitted. ETIMEDOUT: nobody accepted in time.
    public var errno: Errno

    public init(path: String, errno: Errno) {
        self.path = path
        self.errno = errno
    }

    public var description: String { SystemError("connect", path, errno).description }
}

extension ConnectError: RPCErrorConvertible {
    public var rpcError: RPCError { RPCError(.unavailable, description) }
}
