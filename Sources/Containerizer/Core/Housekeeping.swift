// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Kernel
internal import Synchronization

/// Work that nobody waits for: emptying the trash, making spares and stages. A thread does it in a quiet moment, when
/// nothing has been launched or destroyed for a while: on a virtual machine, whose idle processors look busy to the
/// scheduler, whatever a launch wakes runs on the launch's own processor, and before it (docs/adr/0017).
///
/// Ends with this value, without a last round.
public final class Housekeeping: Sendable {
    private let shared: Shared
    private let signal: Int32

    /// So long nothing must have happened, in milliseconds, and so long a daemon that is never quiet is waited for.
    private static let quiet: Int64 = 5
    private static let patience: Int64 = 100

    private final class Shared: Sendable {
        let duties = Mutex<[@Sendable () -> Void]>([])
        /// CLOCK_MONOTONIC, in milliseconds.
        let lastActivity = Atomic<Int64>(0)
        /// The thread knows that there is something to do.
        let isAsked = Atomic<Bool>(false)
    }

    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe") { pipe(&ends) }
        let (wakeUps, signal) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let shared = Shared()
        (self.shared, self.signal) = (shared, signal)
        do {
            _ = try Thread("housekeeping") {
                while Self.waitForQuiet(wakeUps, shared) {
                    for duty in shared.duties.withLock({ $0 }) { duty() }
                }
                close(wakeUps)
            }
        } catch {
            close(wakeUps)
            close(signal)
            throw error
        }
    }

    deinit {
        close(signal)
    }

    /// - Parameter duty: runs on the thread, in each quiet moment after `ask`. Finds out by itself whether there is
    ///   something to do. A failure is its own.
    public func add(_ duty: @escaping @Sendable () -> Void) {
        shared.duties.withLock { $0.append(duty) }
    }

    /// There is something to do. From any thread; costs a system call only the first time after a quiet moment.
    public func ask() {
        guard !shared.isAsked.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte: UInt8 = 1
        _ = write(signal, &byte, 1)
    }

    /// Something is being launched or destroyed: not now.
    public func disturb() {
        shared.lastActivity.store(Self.now, ordering: .relaxed)
    }

    /// False when the owner is gone.
    private static func waitForQuiet(_ wakeUps: Int32, _ shared: Shared) -> Bool {
        var byte: UInt8 = 0
        guard read(wakeUps, &byte, 1) > 0 else { return false }
        let latest = now + patience
        while true {
            let time = now
            let left = min(shared.lastActivity.load(ordering: .relaxed) + quiet, latest) - time
            if left <= 0 { break }
            // Nobody writes while `isAsked` is set, so this waits for the time, or for the end.
            var end = pollfd(fd: wakeUps, events: Int16(POLLIN), revents: 0)
            if poll(&end, 1, Int32(left)) > 0 { return false }
        }
        // What is asked for from now on may come too late for this round.
        shared.isAsked.store(false, ordering: .releasing)
        return true
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
