// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// The reactor as the executor of actors.
///
/// An object of its own, because a job does not say for whom it was queued: one of a task that prefers the reactor runs
/// outside of any actor, and the runtime would send it round the loop again, at each call of an async function, if it
/// were run as an actor's.
final class ReactorIsolation: SerialExecutor, @unchecked Sendable {
    /// Set once, by the reactor's initialiser.
    unowned var reactor: Reactor?

    init() {}

    func enqueue(_ job: consuming ExecutorJob) {
        reactor?.enqueue(QueuedJob(job: UnownedJob(job), isIsolated: true))
    }

    func isIsolatingCurrentContext() -> Bool? { reactor?.isCurrent }

    func checkIsolated() {
        precondition(reactor?.isCurrent == true, "not on the reactor's thread")
    }
}

extension Reactor {
    /// Queues a job of a task that prefers the reactor.
    public func enqueue(_ job: consuming ExecutorJob) {
        enqueue(QueuedJob(job: UnownedJob(job), isIsolated: false))
    }

    /// What an actor that lives on the reactor returns from `unownedExecutor`. The actor must keep the reactor alive.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: isolation)
    }

    /// Without a lock on the reactor's own thread, through the inbox on others.
    func enqueue(_ job: QueuedJob) {
        if isCurrent {
            ring.append(job)
        } else {
            post {
                $0.jobs.append(job)
                $0.foreignJobs &+= 1
            }
        }
    }

    func run(_ queued: QueuedJob) {
        if queued.isIsolated {
            queued.job.runSynchronously(
                isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        } else {
            queued.job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    /// Starts a task that runs on the reactor and stays there. The caller owns it: awaits it, or cancels it.
    public func task<T: Sendable>(
        _ body: @escaping @Sendable () async throws -> T
    ) -> Task<T, any Error> {
        Task(executorPreference: self) { try await body() }
    }

    /// Runs `body` on the reactor's thread, at the next turn of its loop.
    package func submit(_ body: @escaping @Sendable () -> Void) {
        post { $0.bodies.append(body) }
    }

    /// Runs `body` on the reactor's thread: at once if that is the caller's.
    package func perform(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { body() } else { submit(body) }
    }
}
