// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

extension Reactor {
    /// Queues a job: without a lock on the reactor's own thread, through the inbox on others.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            ring.append(job)
        } else {
            post {
                $0.jobs.append(job)
                $0.foreignJobs &+= 1
            }
        }
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    public func checkIsolated() {
        precondition(isCurrent, "not on the thread of reactor \(name)")
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
