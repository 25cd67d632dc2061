// SPDX-License-Identifier: Apache-2.0

/// One thread that waits on descriptors and runs tasks: an epoll loop that is a serial executor and a task executor.
public final class Reactor: SerialExecutor, TaskExecutor {
    public init(name: String = "reactor") throws {}

    /// Starts the reactor's own thread.
    public func start() throws { fatalError("in work") }

    /// Runs on the calling thread until `stop`.
    public func run() { fatalError("in work") }

    /// Asks the reactor to end; waits in progress throw CancellationError. From any thread.
    public func stop() { fatalError("in work") }

    /// Waits for the thread that `start` made.
    public func join() { fatalError("in work") }

    public func enqueue(_ job: consuming ExecutorJob) { fatalError("in work") }

    /// Starts a task that runs on the reactor, with its preference set.
    public func task<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) -> Task<T, any Error> {
        Task(executorPreference: self) { try await body() }
    }

    /// Returns when the descriptor can be read (or has hung up). It must stay open until then.
    public func readable(_ descriptor: Int32) async throws { fatalError("in work") }

    /// Returns when the descriptor can be written. It must stay open until then.
    public func writable(_ descriptor: Int32) async throws { fatalError("in work") }

    /// Returns at the given time.
    public func wait(until deadline: ContinuousClock.Instant) async throws { fatalError("in work") }
}
