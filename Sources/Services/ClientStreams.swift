// SPDX-License-Identifier: Apache-2.0
internal import RPC
public import Wire

/// The messages of a server's stream, in order. One reader at a time. Ends when the server ends the stream; throws the
/// server's RPCError if it ends with one.
public struct Responses<Response: Message>: AsyncSequence, Sendable {
    public typealias Element = Response
    public typealias Failure = any Error

    private let stream: ClientStream

    init(_ stream: ClientStream) {
        self.stream = stream
    }

    /// The next message; nil at the end.
    public func next() async throws -> Response? {
        guard let bytes = try await stream.next() else { return nil }
        return try decodeResponse(bytes)
    }

    /// Stops listening. The server goes on until it notices.
    public func cancel() {
        stream.cancel()
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let responses: Responses

        public func next() async throws -> Response? {
            try await responses.next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(responses: self)
    }
}

/// A stream in both directions. One reader and one writer at a time.
public struct Exchange<Request: Message, Response: Message>: Sendable {
    private let stream: ClientStream

    /// What the server sends.
    public let responses: Responses<Response>

    init(_ stream: ClientStream) {
        self.stream = stream
        responses = Responses(stream)
    }

    /// Waits while the connection holds more than its limit of unsent bytes.
    public func send(_ request: Request) async throws {
        try await stream.send(try encodeRequest(request))
    }

    /// Tells the server that no more requests come. Its responses go on.
    public func closeSend() {
        stream.closeSend()
    }

    /// Stops listening. The server goes on until it notices.
    public func cancel() {
        stream.cancel()
    }
}
