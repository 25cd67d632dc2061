// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Kernel
internal import Reactor
internal import Synchronization

/// A thread that makes what was used up when it is woken, so that no launch waits for it. Ends with this value.
public final class SpareFiller: Sendable {
    private let signal: Int32
    private let work: Work

    private final class Work: Sendable {
        let fillers = Mutex<[@Sendable () -> Void]>([])
    }

    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe") { pipe(&ends) }
        let (wakeUps, signal) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A pipe that is full of wake-ups needs no more of them.
        _ = fcntl(signal, F_SETFL, O_NONBLOCK)
        self.signal = signal
        let work = Work()
        self.work = work
        do {
            _ = try Thread("spares") {
                var bytes = [UInt8](repeating: 0, count: 64)
                while read(wakeUps, &bytes, bytes.count) > 0 {
                    for fill in work.fillers.withLock({ $0 }) { fill() }
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

    /// - Parameter fill: runs on the thread, each time that it is woken. A failure is its own: whoever finds nothing
    ///   makes it himself, and hears the reason.
    public func add(_ fill: @escaping @Sendable () -> Void) {
        work.fillers.withLock { $0.append(fill) }
    }

    public func wake() {
        var byte: UInt8 = 1
        _ = write(signal, &byte, 1)
    }
}
