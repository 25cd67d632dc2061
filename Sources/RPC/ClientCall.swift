// SPDX-License-Identifier: Apache-2.0
internal import Reactor

/// One call of a client: who waits for it, and what has come. On the reactor's thread.
final class ClientCall: @unchecked Sendable {
    private let channel: ClientChannel
    /// Who waits for a unary call's response; nil for streams.
    private let response: Waiter<[UInt8]>?
    /// 0: the request has not been written yet.
    var streamID: UInt32 = 0
    var pendingSend: PendingSends.Token?
    var deadlineTimer: TimerToken?

    private var messages = MessageQueue()
    private(set) var outcome: Result<Void, any Error>?
    private var reader: Waiter<[UInt8]?>?

    init(_ channel: ClientChannel, response: Waiter<[UInt8]>? = nil) {
        self.channel = channel
        self.response = response
    }

    var isUnary: Bool { response != nil }

    /// A message of the stream, or the response's payload.
    func receive(_ message: [UInt8]) {
        if let response { return response.finish(.success(message)) }
        if let reader = reader.take() { return reader.finish(.success(message)) }
        messages.append(message)
        channel.inboundBytes += MessageQueue.cost(message)
    }

    /// Nothing more comes. Messages that wait can still be read.
    func end(_ result: Result<Void, any Error>) {
        guard outcome == nil else { return }
        outcome = result
        if let deadlineTimer { channel.reactor.unschedule(deadlineTimer) }
        deadlineTimer = nil
        let last: Result<[UInt8]?, any Error> = result.map { nil }
        reader.take()?.finish(last)
        if case .failure(let error) = result { response?.finish(.failure(error)) }
    }

    /// The next message; nil while none is there and the stream goes on.
    func takeNow() -> Result<[UInt8]?, any Error>? {
        if let message = messages.popFirst() {
            channel.took(MessageQueue.cost(message))
            return .success(message)
        }
        return outcome.map { $0.map { nil } }
    }

    func read(_ waiter: Waiter<[UInt8]?>) throws {
        if let result = takeNow() { return waiter.finish(result) }
        guard reader == nil else { throw RPCError(.internal, "two tasks read one stream") }
        reader = waiter
    }

    func stopReading() {
        reader = nil
    }

    /// Nobody reads any more.
    func dropMessages() {
        channel.took(messages.removeAll())
    }
}
