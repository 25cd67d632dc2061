// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import SystemPackage
import Testing

@testable import Reactor

@Suite struct BlockingPoolTests {
    @Test func runsOffTheReactorAndComesBack() async throws {
        let pool = BlockingPool(threads: 2)
        defer { pool.shutdown() }
        try await withReactor { reactor in
            let (inside, after) = try await reactor.task {
                let inside = try await pool.run { reactor.isCurrent }
                return (inside, reactor.isCurrent)
            }.value
            #expect(!inside)
            #expect(after)
        }
    }

    @Test func errorsComeBack() async throws {
        let pool = BlockingPool(threads: 1)
        defer { pool.shutdown() }
        let error = await #expect(throws: SystemError.self) {
            try await pool.run { try systemCall("rmdir", "/nonexistent") { rmdir("/nonexistent") } }
        }
        #expect(error == SystemError("rmdir", "/nonexistent", .noSuchFileOrDirectory))
    }

    @Test func theGaugeCountsWhatWaitsAndWhatRuns() async throws {
        let pool = BlockingPool(threads: 1)
        defer { pool.shutdown() }
        let (left, right) = try UnixSocket.pair()
        defer {
            close(left)
            close(right)
        }
        // The only thread sits in a poll until we let it go.
        let first = Task { try await pool.run { blockUntilReadable(left) } }
        let started = AsyncStream.makeStream(of: Void.self)
        let second = Task {
            started.continuation.finish()
            return try await pool.run { true }
        }
        for await _ in started.stream {}
        while pool.running != 1 || pool.depth != 1 { await Task.yield() }
        #expect(write(right, "x", 1) == 1)
        #expect(try await first.value)
        #expect(try await second.value)
        #expect(pool.depth == 0)
    }

    @Test func cancellationDoesNotAbandonTheWork() async throws {
        let pool = BlockingPool(threads: 1)
        defer { pool.shutdown() }
        let (left, right) = try UnixSocket.pair()
        defer {
            close(left)
            close(right)
        }
        let task = Task { try await pool.run { blockUntilReadable(left) } }
        while pool.running != 1 { await Task.yield() }
        task.cancel()
        #expect(write(right, "x", 1) == 1)
        #expect(try await task.value)
    }

    @Test func afterShutdownNothingIsAccepted() async throws {
        let pool = BlockingPool(threads: 2)
        pool.shutdown()
        await #expect(throws: BlockingPool.Closed.self) { try await pool.run { 1 } }
    }

    @Test func shutdownFinishesWhatIsQueued() async throws {
        let pool = BlockingPool(threads: 1)
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<100 { group.addTask { try await pool.run { number } } }
            return try await group.reduce(0, +)
        }
        pool.shutdown()
        #expect(results == 4_950)
    }
}

private func blockUntilReadable(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, -1) == 1
}
