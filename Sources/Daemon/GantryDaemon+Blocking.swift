// SPDX-License-Identifier: Apache-2.0

import Kernel
import Synchronization

/// For a main thread that belongs to the signals.
extension GantryDaemon {
    /// `start`, on a thread that has nothing else to do.
    public func startAndWait() throws {
        try Self.blocking { try await self.start() }
    }

    /// `stop`, on a thread that has nothing else to do.
    public func stopAndWait() throws {
        try Self.blocking { await self.stop() }
    }

    private static func blocking(_ body: @escaping @Sendable () async throws -> Void) throws {
        let done = Semaphore()
        let result = Mutex<Result<Void, any Error>>(.success(()))
        Task {
            do { try await body() } catch { result.withLock { $0 = .failure(error) } }
            done.signal()
        }
        done.wait()
        try result.withLock { $0 }.get()
    }
}
