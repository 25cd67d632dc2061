// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A value that many tasks wait for and one task provides, once. Cancelling a waiter ends that waiter alone
/// (containerizer.md R-4).
public final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case pending([UInt64: CheckedContinuation<Value, any Error>], next: UInt64)
        case settled(Result<Value, any Error>)
    }

    private let state = Mutex<State>(.pending([:], next: 0))

    public init() {}

    /// The first call counts; later ones change nothing.
    public func settle(_ result: Result<Value, any Error>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, any Error>] in
            guard case .pending(let waiters, _) = state else { return [] }
            state = .settled(result)
            return Array(waiters.values)
        }
        for waiter in waiting { waiter.resume(with: result) }
    }

    /// What `settle` was given, if it was called.
    public var settled: Result<Value, any Error>? {
        state.withLock { state in
            guard case .settled(let result) = state else { return nil }
            return result
        }
    }

    /// - Throws: what `settle` was given, or `CancellationError` when the calling task is cancelled.
    public func value() async throws -> Value {
        let ticket = state.withLock { state -> UInt64 in
            guard case .pending(let waiters, let next) = state else { return 0 }
            state = .pending(waiters, next: next + 1)
            return next
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let settled = state.withLock { state -> Result<Value, any Error>? in
                    switch state {
                    case .settled(let result): return result
                    case .pending(var waiters, let next):
                        if Task.isCancelled { return .failure(CancellationError()) }
                        waiters[ticket] = continuation
                        state = .pending(waiters, next: next)
                        return nil
                    }
                }
                if let settled { continuation.resume(with: settled) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                guard case .pending(var waiters, let next) = state else { return nil }
                let waiter = waiters.removeValue(forKey: ticket)
                state = .pending(waiters, next: next)
                return waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }
}

/// Never returns; ends with `CancellationError` when the task is cancelled.
public func pendUntilCancelled() async throws -> Never {
    while true { try await Promise<Void>().value() }
}
