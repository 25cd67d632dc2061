// SPDX-License-Identifier: Apache-2.0
public import Reactor
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

    public var description: String { "connect \(path): \(errno)" }
}

/// What a single call asks for.
public struct CallOptions: Sendable {
    /// The time that the call may take, here and on the server.
    public var timeout: Duration?
    public var metadata: Metadata

    public init(timeout: Duration? = nil, metadata: Metadata = Metadata()) {
        self.timeout = timeout
        self.metadata = metadata
    }
}

/// A client's connection. Any number of calls may run on it at once, from any task.
public final class ClientConnection: Sendable {
    /// Connects to a server's socket. Throws ConnectError.
    public static func connect(
        unixSocket path: String, reactor: Reactor, timeout: Duration = .seconds(10)
    ) async throws -> ClientConnection { fatalError("in work") }

    /// One message out, one message back. Throws RPCError: the server's, or UNAVAILABLE when the connection is gone.
    public func unary(
        service: String, method: String, payload: [UInt8], options: CallOptions = CallOptions()
    ) async throws -> [UInt8] { fatalError("in work") }

    /// Opens a stream. With a payload the caller sends nothing more (a server stream); without one it sends with
    /// `ClientStream.send` until `closeSend`.
    public func stream(
        service: String, method: String, payload: [UInt8]? = nil, options: CallOptions = CallOptions()
    ) async throws -> ClientStream { fatalError("in work") }

    /// Ends all calls with UNAVAILABLE and closes the socket.
    public func close() { fatalError("in work") }
}

/// One stream of a client. One reader and one writer at a time.
public final class ClientStream: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = any Error

    public func send(_ bytes: [UInt8]) async throws { fatalError("in work") }

    /// Tells the server that no more messages come.
    public func closeSend() { fatalError("in work") }

    /// The next message; nil when the server has ended the stream without an error.
    public func next() async throws -> [UInt8]? { fatalError("in work") }

    /// Stops listening. ttrpc has no cancel message: the server goes on until it notices otherwise.
    public func cancel() { fatalError("in work") }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: ClientStream

        public func next() async throws -> [UInt8]? { try await stream.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
