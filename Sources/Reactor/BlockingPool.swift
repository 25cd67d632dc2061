// SPDX-License-Identifier: Apache-2.0

/// A few threads for calls that block: mount, fsync, umount, tar, rmdir.
public final class BlockingPool: Sendable {
    public init(threads: Int = 4) {}

    /// Runs `body` on one of the threads. Cancelling the calling task does not abandon the work: the call returns when
    /// the work is done.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T { fatalError("in work") }

    /// Jobs that wait for a thread.
    public var depth: Int { 0 }

    /// Lets the queued work finish and ends the threads.
    public func shutdown() {}
}
