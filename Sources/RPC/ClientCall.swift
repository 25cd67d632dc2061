// SPDX-License-Identifier: Apache-2.0
internal import Reactor
internal import Synchronization

/// One call of a client: who waits for it, and what has come. On the reactor's thread, but for `hold` and `cancel`.
final class ClientCall: @unchecked Sendable {
    private let channel: ClientChannel
    let isUnary: Bool
    /// Who waits for a unary call's response. Not by a Waiter: that is the most that calls do, and a task's own
    /// continuation spares half of its cost.
    private var response: UnsafeContinuation<[UInt8], any Error>?
    private let isCancelled = Atomic<Bool>(false)
    /// From here on `response` belongs to the reactor's thread.
    private var isStarted = false
    /// Where what comes with the response is put. Made by whoever waits, because only the result itself goes to its
    /// thread with the continuation.
    let answerDescriptors: PassedDescriptors?
    /// 0: the request has not been written yet.
    var streamID: UInt32 = 0
    var pendingSend: PendingSends.Token?
    var deadlineTimer: TimerToken?

    private var messages = MessageQueue()
    private(set) var outcome: Result<Void, any Error>?
    private var reader: Waiter<[UInt8]?>?

    init(_ channel: ClientChannel, isUnary: Bool = false, answerDescriptors: PassedDescriptors? = nil) {
        self.answerDescriptors = answerDescriptors
        self.channel = channel
        self.isUnary = isUnary
    }

    /// Who waits for the response of a unary call, and the call's start. From any thread.
    func hold(_ continuation: UnsafeContinuation<[UInt8], any Error>, _ request: OutgoingRequest, _ timeout: Duration?)
    {
        response = continuation
        if channel.reactor.isCurrent { return start(request, timeout) }
        channel.reactor.submit { self.start(request, timeout) }
    }

    private func start(_ request: OutgoingRequest, _ timeout: Duration?) {
        isStarted = true
        if isCancelled.load(ordering: .acquiring) { return end(.failure(CancellationError())) }
        do {
            try channel.start(self, request, .unary, timeout)
        } catch {
            end(.failure(error))
        }
    }

    /// The task that waits for a unary call has been cancelled. From any thread, also before `hold`.
    func cancel() {
        isCancelled.store(true, ordering: .releasing)
        // Not at once even on the reactor's thread: whoever cancels may stand in the middle of a change.
        channel.reactor.submit {
            // One that has not been started sees the mark when it is.
            if self.isStarted, self.response != nil { self.channel.abandon(self) }
        }
    }

    /// A message of the stream, or the response's payload.
    func receive(_ message: [UInt8]) {
        if isUnary {
            response.take()?.resume(returning: message)
            return
        }
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
        if let reader = reader.take() { reader.finish(result.map { nil }) }
        if case .failure(let error) = result { response.take()?.resume(throwing: error) }
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
