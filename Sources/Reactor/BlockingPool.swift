// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Kernel
internal import Synchronization

/// A few threads for calls that block: mount, fsync, umount, tar, rmdir. They take the work in the order of its arrival.
public final class BlockingPool: @unchecked Sendable {
    /// The pool has been shut down.
    public struct Closed: Error, Sendable {}

    /// Memory that threads share must not move; a class's stored property may.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let change: UnsafeMutablePointer<pthread_cond_t>
    // Under `lock`.
    private var queue: [@Sendable () -> Void] = []
    /// The first job of `queue` that has not been taken.
    private var head = 0
    private var busy = 0
    private var closed = false
    private var workers: [Worker] = []

    /// A thread cannot be an array's element by itself: it cannot be copied.
    private final class Worker: Sendable {
        private let thread: Mutex<Thread?>

        init(_ thread: consuming Thread) {
            self.thread = Mutex(consume thread)
        }

        func join() {
            if let thread = thread.withLock({ $0.take() }) { thread.join() }
        }
    }

    /// Starts the threads. Fewer than asked for where the process may have no more; the first `run` throws Closed if
    /// there is none at all.
    public init(threads: Int = 4, name: String = "blocking") {
        lock = .allocate(capacity: 1)
        change = .allocate(capacity: 1)
        lock.initialize(to: pthread_mutex_t())
        change.initialize(to: pthread_cond_t())
        pthread_mutex_init(lock, nil)
        pthread_cond_init(change, nil)
        var started: [Worker] = []
        for _ in 0..<max(1, threads) {
            // A thread keeps the pool alive until `shutdown`.
            guard let thread = try? Thread(name, { self.work() }) else { break }
            started.append(Worker(thread))
        }
        // They run already.
        locked {
            workers = started
            closed = started.isEmpty
        }
    }

    deinit {
        pthread_cond_destroy(change)
        pthread_mutex_destroy(lock)
        change.deallocate()
        lock.deallocate()
    }

    /// Runs `body` on one of the threads. Cancelling the calling task does not abandon the work: the call returns when
    /// the work is done, because the caller owns what the work makes.
    public nonisolated(nonsending) func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withUnsafeThrowingContinuation { continuation in
            let accepted = locked {
                if closed { return false }
                queue.append { continuation.resume(with: Result(catching: body)) }
                pthread_cond_signal(change)
                return true
            }
            if !accepted { continuation.resume(throwing: Closed()) }
        }
    }

    /// Queues work that nobody waits for. Dropped when the pool has been shut down.
    public func submit(_ body: @escaping @Sendable () -> Void) {
        locked {
            if closed { return }
            queue.append(body)
            pthread_cond_signal(change)
        }
    }

    /// Jobs that wait for a thread.
    public var depth: Int { locked { queue.count - head } }

    /// Jobs that run.
    public var running: Int { locked { busy } }

    /// Lets the work that is queued finish, and ends the threads. Blocks; not from one of the threads.
    public func shutdown() {
        let ending = locked {
            closed = true
            pthread_cond_broadcast(change)
            let ending = workers
            workers = []
            return ending
        }
        for worker in ending { worker.join() }
    }

    private func locked<T>(_ body: () -> T) -> T {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }

    private func work() {
        while let job = take() {
            job()
            locked { busy -= 1 }
        }
    }

    private func take() -> (@Sendable () -> Void)? {
        locked {
            while head == queue.count {
                if closed { return nil }
                pthread_cond_wait(change, lock)
            }
            let job = queue[head]
            head += 1
            if head == queue.count {
                queue.removeAll(keepingCapacity: true)
                head = 0
            }
            busy += 1
            return job
        }
    }
}
