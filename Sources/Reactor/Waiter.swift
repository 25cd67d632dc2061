// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// A task that waits for something that happens on a reactor's thread. `cancelled` is for all; the rest belongs to the
/// reactor's thread from the moment the waiter is handed over.
package final class Waiter<Value: Sendable>: @unchecked Sendable {
    private let cancelled = Atomic<Bool>(false)
    /// Orders what the reactor's thread did before the task goes on before what the task does then. The runtime does that
    /// by itself, but where ThreadSanitizer does not see it (Tests/ReactorTests/tsan): whatever is made on one thread and
    /// handed to another would look like a race. Two plain moves on x86.
    private let isFinished = Atomic<Bool>(false)
    private var continuation: UnsafeContinuation<Value, any Error>?
    /// Takes the waiter off the list where it waits. nil: it waits nowhere (yet, or any more).
    private var withdraw: (() -> Void)?

    init() {}

    /// Before the waiter is handed over.
    func hold(_ continuation: UnsafeContinuation<Value, any Error>) {
        self.continuation = continuation
    }

    /// Lists the waiter, unless its task has been cancelled before it came this far.
    func list(_ enter: () throws -> (() -> Void)) {
        guard !cancelled.load(ordering: .acquiring) else { return finish(.failure(CancellationError())) }
        do {
            let leave = try enter()
            // `enter` may have finished the waiter already.
            if continuation != nil { withdraw = leave }
        } catch {
            finish(.failure(error))
        }
    }

    /// Lets the task go on. Once it has been told to, further results are dropped.
    package func finish(_ result: Result<Value, any Error>) {
        withdraw = nil
        isFinished.store(true, ordering: .releasing)
        continuation.take()?.resume(with: result)
    }

    /// In the waiting task, when it goes on.
    func resumed() {
        _ = isFinished.load(ordering: .acquiring)
    }

    /// First half of a cancellation, on any thread.
    func markCancelled() {
        cancelled.store(true, ordering: .releasing)
    }

    /// Second half, on the reactor's thread. A waiter that is not listed yet sees the mark when it is.
    func cancel() {
        guard let withdraw else { return }
        withdraw()
        finish(.failure(CancellationError()))
    }
}
