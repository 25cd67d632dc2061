// SPDX-License-Identifier: Apache-2.0
import Reactor
import Testing

@testable import RPC

@Suite struct LoadTests {
    /// A call that leaves the reactor's thread, for the global pool say, has to come back through its inbox. (Swift
    /// resumes a continuation on the pool unless the task prefers an executor: that mistake costs nine tenths of the
    /// throughput and no test of results would see it.)
    @Test func callsDoNotHopBetweenThreads() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let before = server.reactor.jobsFromOtherThreads
            let workers = (0..<32).map { number in
                server.reactor.task {
                    for _ in 0..<100 {
                        let method = ["Echo", "Yield"][number % 2]
                        guard try await client.call(method, "hello") == "hello" else { return false }
                    }
                    let stream = try await client.stream(service: echo, method: "Chat")
                    for _ in 0..<100 {
                        try await stream.send([1])
                        guard try await stream.next() == [1] else { return false }
                    }
                    return true
                }
            }
            for worker in workers { #expect(try await worker.value) }
            // The start of each worker, and little else.
            #expect(server.reactor.jobsFromOtherThreads - before < 64)
        }
    }
}
