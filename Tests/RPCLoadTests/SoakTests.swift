// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

extension LoadTests {
    /// Calls of every kind with random cancels, deadlines and disconnects, after which nothing may be left. GANTRY_SOAK_N
    /// calls (20,000); `scripts/soak-rpc` makes five million.
    @Suite(.serialized) struct SoakTests {
        private static let count = getenv("GANTRY_SOAK_N").flatMap { Int(String(cString: $0)) } ?? 20_000
        private static let workers = 16
        /// Calls between two looks at what is left; the first look is what later ones are compared with.
        private static let round = min(100_000, count / 2)

        /// What there is of all that a call may leave behind.
        private struct Remains {
            var census = ServerCore.Census()
            var tasks = 0
            var descriptors = 0
            /// Bytes that malloc has given out.
            var heap = 0
            var resident = 0
        }

        /// Swift Testing keeps a backtrace of every error that is thrown, for as long as it lives: 24 bytes a call here, in
        /// the heap that is being counted. It gets at the errors by hooks of the runtime's (`_swift_willThrow`).
        private func forgetBacktraces() {
            for name in ["_swift_willThrow", "_swift_willThrowTypedImpl"] {
                let hook = dlsym(nil, name)?.assumingMemoryBound(to: UnsafeRawPointer?.self)
                hook?.pointee = nil
            }
        }

        @Test func nothingIsLeft() async throws {
            forgetBacktraces()
            let begin = ContinuousClock.now
            try await withServer(journal: Journal(keeps: false)) { server in
                let clients = try Reactor(name: "soak")
                try clients.start()
                defer {
                    clients.stop()
                    clients.join()
                }
                var tally = SoakTally()
                var looks: [Remains] = []
                let before = try descriptors()
                while tally.calls < Self.count {
                    tally += try await round(server, clients)
                    looks.append(try await look(server))
                }
                let (first, last) = (looks[0], looks[looks.count - 1])
                for look in looks {
                    #expect(look.census == ServerCore.Census())
                    #expect(look.descriptors <= before)
                    // The pool keeps some tasks for the next calls, as many as ever ran at once.
                    #expect(look.tasks <= 256)
                }
                // A sanitizer's own allocator tells nothing of itself, and keeps what was freed.
                if first.heap > 0 {
                    #expect(last.heap - first.heap < 256 << 10)
                    #expect(last.resident - first.resident < 16 << 20)
                }
                let rate = Double(tally.calls) / Double((ContinuousClock.now - begin) / .seconds(1))
                print(
                    """
                    soak: \(tally.calls) calls, \(Int(rate)) a second: \(tally)
                    left: \(last.census), \(last.tasks) parked tasks, \(last.descriptors - before) descriptors
                    after \(Self.round) calls: heap \(first.heap >> 10) KiB, resident \(first.resident >> 10) KiB
                    after all: heap \(last.heap >> 10) KiB, resident \(last.resident >> 10) KiB, \
                    highest heap between \(looks.map { $0.heap >> 10 }.max() ?? 0) KiB
                    """)
            }
        }

        private func round(_ server: TestServer, _ clients: Reactor) async throws -> SoakTally {
            let share = max(1, Self.round / Self.workers)
            return try await withThrowingTaskGroup { group in
                for _ in 0..<Self.workers {
                    // On the clients' reactor: the work of the soak is calls, not trips between threads.
                    group.addTask(executorPreference: clients) {
                        var worker = SoakWorker(server: server, reactor: clients)
                        return try await worker.run(share)
                    }
                }
                return try await group.reduce(into: SoakTally()) { $0 += $1 }
            }
        }

        /// The last connections are gone when the server has seen their ends: it has while it counts none.
        private func look(_ server: TestServer) async throws -> Remains {
            var census = try await server.census()
            let deadline = ContinuousClock.now + .seconds(10)
            while census != ServerCore.Census(), ContinuousClock.now < deadline {
                try await server.reactor.wait(until: .now + .milliseconds(1))
                census = try await server.census()
            }
            let core = server.server.core
            let tasks = try await server.reactor.task { core.pool.parkedTasks }.value
            let words = try ControlFile.read("/proc/self/statm").split(separator: " ")
            return Remains(
                census: census, tasks: tasks, descriptors: try descriptors(), heap: gantry_allocated_bytes(),
                resident: (Int(words[1]) ?? 0) * 4_096)
        }

        private func descriptors() throws -> Int { try Directory("/proc/self/fd").names().count }
    }
}
