// SPDX-License-Identifier: Apache-2.0

/// The messages that a handler sends to its caller, in order.
public struct ResponseStream<Element: Sendable>: Sendable {
    private let call: ServerCall
    private let encode: @Sendable (Element) throws -> [UInt8]

    init(call: ServerCall, encode: @escaping @Sendable (Element) throws -> [UInt8]) {
        self.call = call
        self.encode = encode
    }

    /// Queues one message, and waits first while the connection holds more than its limit of unsent bytes.
    ///
    /// Throws INTERNAL when the message does not encode, RESOURCE_EXHAUSTED when it is larger than a frame (the stream
    /// goes on), and CancellationError when the call is over: the connection is gone, or its deadline has passed.
    public func send(_ element: Element) async throws {
        let bytes: [UInt8]
        do {
            bytes = try encode(element)
        } catch {
            throw RPCError(unencodable: error)
        }
        try await call.send(bytes)
    }
}
