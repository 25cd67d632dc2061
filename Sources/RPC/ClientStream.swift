// SPDX-License-Identifier: Apache-2.0
internal import Reactor

/// One stream of a client. One reader and one writer at a time; they may be different tasks.
///
/// A stream that nobody holds any more is given up, as by `cancel`.
public final class ClientStream: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = any Error

    /// Held, so that the connection stays open while the stream is in use.
    private let connection: ClientConnection
    private let channel: ClientChannel
    private let call: ClientCall

    init(connection: ClientConnection, call: ClientCall) {
        self.connection = connection
        self.call = call
        channel = connection.channel
    }

    deinit {
        let (channel, call) = (channel, call)
        channel.reactor.submit {
            channel.abandon(call)
            call.dropMessages()
        }
    }

    /// Queues one message, and waits first while the connection holds more than its limit of unsent bytes.
    ///
    /// Throws RPCError: RESOURCE_EXHAUSTED for a message above 4 MiB (the stream goes on), FAILED_PRECONDITION after
    /// `closeSend` or when the server has ended the stream, or the error with which it has; or CancellationError.
    public func send(_ bytes: [UInt8]) async throws {
        guard bytes.count <= FrameHeader.maximumLength else {
            throw RPCError(
                .resourceExhausted,
                "a message of \(bytes.count) bytes is above the limit of \(FrameHeader.maximumLength)")
        }
        let (channel, call) = (channel, call)
        try await channel.reactor.suspend { (_, waiter: Waiter<Void>) in
            if let failure = channel.sendFailure(call) { throw failure }
            if channel.hasRoom {
                channel.send(call, bytes)
                waiter.finish(.success(()))
                return {}
            }
            let token = channel.waitForRoom(call.streamID) {
                channel.send(call, bytes)
                waiter.finish(.success(()))
            } fail: {
                waiter.finish(.failure(channel.sendFailure(call) ?? CancellationError()))
            }
            return { channel.stopWaiting(token) }
        }
    }

    /// Tells the server that no more messages come. Nothing happens if it has been told, or has ended the stream.
    public func closeSend() {
        let (channel, call) = (channel, call)
        channel.reactor.perform { channel.closeSend(call) }
    }

    /// The next message; nil when the server has ended the stream without an error. Throws RPCError: the server's, or
    /// UNAVAILABLE when the connection is gone; or CancellationError.
    public func next() async throws -> [UInt8]? {
        let (channel, call) = (channel, call)
        if channel.reactor.isCurrent, let ready = call.takeNow() { return try ready.get() }
        return try await channel.reactor.suspend { (_, waiter: Waiter<[UInt8]?>) in
            try call.read(waiter)
            return { call.stopReading() }
        }
    }

    /// Gives the stream up: `next` and `send` throw CancellationError, and a server of ours cancels the call. ttrpc has
    /// no message for that, so other servers go on until their deadline, or until the connection closes.
    public func cancel() {
        let (channel, call) = (channel, call)
        channel.reactor.perform { channel.abandon(call) }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: ClientStream

        public func next() async throws -> [UInt8]? { try await stream.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
