// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A POSIX semaphore (sem_overview(7)), for a thread that waits for a task's end.
public final class Semaphore: @unchecked Sendable {
    // A semaphore's memory must not move.
    private let memory = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    /// The count begins at 0.
    public init() { sem_init(memory, 0, 0) }

    deinit {
        sem_destroy(memory)
        memory.deallocate()
    }

    public func signal() { sem_post(memory) }

    /// Blocks the calling thread until the count is not 0, and takes one off it.
    public func wait() {
        while sem_wait(memory) != 0 && errno == EINTR {}
    }
}
