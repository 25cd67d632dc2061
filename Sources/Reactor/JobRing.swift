// SPDX-License-Identifier: Apache-2.0

/// A job and how it has to be run.
struct QueuedJob {
    var job: UnownedJob
    /// It belongs to an actor on the reactor, rather than to a task that merely prefers it.
    var isIsolated: Bool
}

/// A queue of jobs, first in, first out, without locks: it belongs to one thread.
struct JobRing: ~Copyable {
    private var slots: UnsafeMutablePointer<QueuedJob>
    private var mask: Int
    private var head = 0
    private(set) var count = 0

    init() {
        mask = 255
        slots = .allocate(capacity: 256)
    }

    deinit {
        slots.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: QueuedJob) {
        if count > mask { grow() }
        (slots + ((head &+ count) & mask)).initialize(to: job)
        count &+= 1
    }

    mutating func popFirst() -> QueuedJob? {
        guard count > 0 else { return nil }
        let job = (slots + head).move()
        head = (head &+ 1) & mask
        count &-= 1
        return job
    }

    private mutating func grow() {
        let capacity = (mask + 1) * 2
        let larger = UnsafeMutablePointer<QueuedJob>.allocate(capacity: capacity)
        for index in 0..<count {
            (larger + index).initialize(to: slots[(head + index) & mask])
        }
        slots.deallocate()
        slots = larger
        mask = capacity - 1
        head = 0
    }
}
