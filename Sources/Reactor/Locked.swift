// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A value behind a lock of pthread's. `Synchronization.Mutex` does the same, but in a library that ThreadSanitizer does
/// not see into: it would take every use of the value for a race, and hide the real ones.
package final class Locked<Value>: @unchecked Sendable {
    /// A lock must not move; a class's stored property may.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_mutex_t())
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }
}
