// SPDX-License-Identifier: Apache-2.0
internal import Reactor

/// Runs calls on tasks that stay when a call ends: starting a task for each call costs more than the rest of a small
/// call. On the reactor's thread, as the tasks are.
final class CallPool: @unchecked Sendable {
    /// Parked workers that are kept.
    private static let idleLimit = 256

    private let reactor: Reactor
    private var idle: [CallWorker] = []
    private var isClosed = false
    /// Calls that have been started and whose handlers have not returned.
    private(set) var running = 0
    private var workers = 0
    /// Tasks that are neither parked nor run a call.
    var strayTasks: Int { workers - idle.count - running }
    /// Tasks that wait for a call.
    var parkedTasks: Int { idle.count }
    /// Called when a handler has returned.
    var didEnd: () -> Void = {}

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    func run(_ call: ServerCall) {
        running += 1
        let worker = idle.popLast() ?? makeWorker()
        call.worker = worker
        worker.take(call, reactor, self)
    }

    private func makeWorker() -> CallWorker {
        workers += 1
        return CallWorker()
    }

    fileprivate func workerEnded() {
        workers -= 1
    }

    fileprivate func ended(_ call: ServerCall) {
        call.worker = nil
        running -= 1
        call.connection.handlerReturned(call)
        didEnd()
    }

    /// Keeps the worker for the next call. False: the worker has to end.
    fileprivate func park(_ worker: CallWorker) -> Bool {
        // A cancelled task stays cancelled; the next call would be, too.
        if isClosed || worker.isCancelled || idle.count >= Self.idleLimit { return false }
        idle.append(worker)
        return true
    }

    /// Ends the idle workers now and the others after their calls.
    func close() {
        isClosed = true
        let workers = idle
        idle = []
        for worker in workers { worker.end() }
    }
}

/// One task of the pool.
final class CallWorker: @unchecked Sendable {
    private var task: Task<Void, Never>?
    private var next: UnsafeContinuation<ServerCall?, Never>?
    private(set) var isCancelled = false

    fileprivate func take(_ call: ServerCall, _ reactor: Reactor, _ pool: CallPool) {
        if let next = next.take() { return next.resume(returning: call) }
        task = Task(executorPreference: reactor) {
            var current: ServerCall? = call
            while let call = current {
                await call.run()
                pool.ended(call)
                current = await self.wait(pool)
            }
            pool.workerEnded()
        }
    }

    private func wait(_ pool: CallPool) async -> ServerCall? {
        await withUnsafeContinuation { continuation in
            next = continuation
            if !pool.park(self) { end() }
        }
    }

    fileprivate func end() {
        next.take()?.resume(returning: nil)
    }

    /// Cancels the call that runs, and with it the worker.
    func cancel() {
        isCancelled = true
        task?.cancel()
    }
}
