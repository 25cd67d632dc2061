// SPDX-License-Identifier: Apache-2.0
internal import Reactor

/// One call on a server: its handler's side of a stream. The state belongs to the reactor's thread; `send` and
/// `nextMessage` may be called from anywhere.
final class ServerCall: @unchecked Sendable {
    let connection: ServerConnection
    let streamID: UInt32
    let shape: Router.Shape
    let context: CallContext
    /// Bytes of the request, which count as long as the handler runs.
    let requestBytes: Int
    private let invocation: Router.Invocation
    /// Bytes of a result that waits for room.
    private(set) var resultBytes = 0

    var worker: CallWorker?
    var deadlineTimer: TimerToken?
    /// Nothing can be sent or received any more.
    private(set) var isOver = false

    private var messages = MessageQueue()
    private var inputEnded = false
    private var reader: Waiter<[UInt8]?>?

    init(
        connection: ServerConnection, streamID: UInt32, shape: Router.Shape, context: CallContext, requestBytes: Int,
        invocation: @escaping Router.Invocation
    ) {
        self.connection = connection
        self.streamID = streamID
        self.shape = shape
        self.context = context
        self.requestBytes = requestBytes
        self.invocation = invocation
    }

    // MARK: The handler

    /// Runs the interceptors and the handler, and answers.
    func run() async {
        do {
            let result = try await connection.interceptors.run(context) { try await invocation(context, self) }
            try await finish(result)
        } catch {
            connection.fail(self, RPCError(describing: error))
        }
    }

    private func finish(_ result: [UInt8]) async throws {
        // A handler that left the reactor comes back here; the pool's tasks prefer it.
        if connection.isRoomy(for: self) { return connection.finish(self, result) }
        try await connection.reactor.suspend { (_, waiter: Waiter<Void>) in
            self.resultBytes = result.count
            self.connection.hold(self)
            return self.connection.waitForRoom(self, waiter) { self.connection.finish(self, result) }
        }
    }

    /// Queues a message of a stream, waiting for room.
    func send(_ bytes: [UInt8]) async throws {
        guard bytes.count <= FrameHeader.maximumLength else {
            throw RPCError(
                .resourceExhausted,
                "a message of \(bytes.count) bytes is above the limit of \(FrameHeader.maximumLength)")
        }
        let reactor = connection.reactor
        if reactor.isCurrent, connection.isRoomy(for: self) {
            if isOver || Task.isCancelled { throw CancellationError() }
            return connection.send(self, bytes)
        }
        try await reactor.suspend { (_, waiter: Waiter<Void>) in
            if self.isOver { throw CancellationError() }
            if self.connection.isRoomy(for: self) {
                self.connection.send(self, bytes)
                waiter.finish(.success(()))
                return {}
            }
            return self.connection.waitForRoom(self, waiter) { self.connection.send(self, bytes) }
        }
    }

    /// The next message of the caller; nil after the last.
    func nextMessage() async throws -> [UInt8]? {
        let reactor = connection.reactor
        if reactor.isCurrent, let message = takeMessage() { return message }
        return try await reactor.suspend { (_, waiter: Waiter<[UInt8]?>) in
            try self.list(waiter)
            return { self.reader = nil }
        }
    }

    private func list(_ waiter: Waiter<[UInt8]?>) throws {
        if let message = takeMessage() { return waiter.finish(.success(message)) }
        if isOver { throw CancellationError() }
        if inputEnded { return waiter.finish(.success(nil)) }
        guard reader == nil else { throw RPCError(.internal, "two tasks read one request stream") }
        reader = waiter
    }

    private func takeMessage() -> [UInt8]? {
        guard !isOver, let message = messages.popFirst() else { return nil }
        connection.took(MessageQueue.cost(message))
        return message
    }

    // MARK: The connection

    /// The caller's next message has come.
    func receive(_ data: UnsafeRawBufferPointer) {
        let message = [UInt8](data)
        if let reader = reader.take() { return reader.finish(.success(message)) }
        messages.append(message)
        connection.inboundBytes += MessageQueue.cost(message)
    }

    /// The caller sends no more.
    func endInput() {
        inputEnded = true
        reader.take()?.finish(.success(nil))
    }

    /// The stream is over, from whatever side. Messages that nobody took are dropped.
    func end() {
        guard !isOver else { return }
        isOver = true
        connection.took(messages.removeAll())
        reader.take()?.finish(.failure(CancellationError()))
        if let deadlineTimer { connection.reactor.unschedule(deadlineTimer) }
        deadlineTimer = nil
    }

    /// The stream is over and nobody waits for the handler any more.
    func cancel() {
        end()
        worker?.cancel()
    }
}
