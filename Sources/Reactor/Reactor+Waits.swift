// SPDX-License-Identifier: Apache-2.0
internal import Kernel

extension Reactor {
    /// Returns when the descriptor can be read, has hung up or has an error: a socket, a pipe, an eventfd, an inotify or
    /// signal descriptor, or a pidfd whose process has ended.
    ///
    /// The descriptor must stay open until this returns. Throws CancellationError, and SystemError for a descriptor
    /// that cannot be waited for (EPERM: a regular file). From any task.
    public nonisolated(nonsending) func readable(_ descriptor: Int32) async throws {
        try await wait(descriptor, .readable)
    }

    /// Returns when the descriptor can be written, has hung up or has an error. As `readable` otherwise.
    public nonisolated(nonsending) func writable(_ descriptor: Int32) async throws {
        try await wait(descriptor, .writable)
    }

    /// Returns when the descriptor has an exceptional condition (EPOLLPRI): a control group file such as `memory.events`
    /// that has changed since it was last read, or a pressure trigger. As `readable` otherwise.
    public nonisolated(nonsending) func changed(_ descriptor: Int32) async throws {
        try await wait(descriptor, .priority)
    }

    /// Returns at the deadline, not before. Throws CancellationError. From any task.
    public nonisolated(nonsending) func wait(until deadline: ContinuousClock.Instant) async throws {
        try await suspend { reactor, waiter in
            if reactor.stopping { throw CancellationError() }
            let token = reactor.schedule(deadline) {
                waiter.finish(reactor.stopping ? .failure(CancellationError()) : .success(()))
            }
            return { reactor.unschedule(token) }
        }
    }

    private nonisolated(nonsending) func wait(_ descriptor: Int32, _ interest: EpollEvents) async throws {
        try await suspend { reactor, waiter in
            if reactor.stopping { throw CancellationError() }
            let waits = reactor.waits[descriptor] ?? DescriptorWaits(reactor, descriptor)
            reactor.waits[descriptor] = waits
            try waits.add(waiter, interest)
            return { waits.remove(waiter) }
        }
    }

    /// Parks the calling task until something finishes its waiter. `enter` runs on the reactor's thread, at once if that
    /// is the caller's; it lists the waiter and returns how to take it off, which is what a cancellation does.
    package nonisolated(nonsending) func suspend<Value: Sendable>(
        _ enter: @escaping @Sendable (Reactor, Waiter<Value>) throws -> (() -> Void)
    ) async throws -> Value {
        let waiter = Waiter<Value>()
        defer { waiter.resumed() }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                waiter.hold(continuation)
                perform { waiter.list { try enter(self, waiter) } }
            }
        } onCancel: {
            waiter.markCancelled()
            // Not at once even on the reactor's thread: whoever cancels may stand in the middle of a change.
            submit { waiter.cancel() }
        }
    }
}
