// SPDX-License-Identifier: Apache-2.0

/// The messages that a caller sends on a stream, in order. One reader at a time.
///
/// `next` returns nil once the caller has closed its side; it throws INVALID_ARGUMENT for a message that does not
/// decode, and CancellationError when the call is over (the connection is gone, the deadline has passed).
public struct RequestStream<Element: Sendable>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    private let call: ServerCall
    private let decode: @Sendable (UnsafeRawBufferPointer) throws -> Element

    init(call: ServerCall, decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Element) {
        self.call = call
        self.decode = decode
    }

    public func next() async throws -> Element? {
        guard let bytes = try await call.nextMessage() else { return nil }
        do {
            return try bytes.withUnsafeBytes(decode)
        } catch {
            throw RPCError(undecodable: error)
        }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: RequestStream

        public func next() async throws -> Element? {
            try await stream.next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: self)
    }
}
