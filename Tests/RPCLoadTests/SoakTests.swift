// SPDX-License-Identifier: Apache-2.0
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

        private func descriptors() throws -> Int { try Directory("/proc/self/fd").names().count }

        /// One call of a random kind. Errors are what the soak is about.
        private func call(_ client: ClientConnection, _ generator: inout some RandomNumberGenerator) async {
            let timeout =
                Int.random(in: 0..<8, using: &generator) == 0
                ? Duration.microseconds(Int.random(in: 1..<400, using: &generator)) : nil
            let options = CallOptions(timeout: timeout)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<3: _ = try? await client.call("Now", "x", options)
            case 3..<5: _ = try? await client.call("Echo", "hello", options)
            case 5: _ = try? await client.call("Yield", "hello", options)
            case 6:
                let stuck = client.channel.reactor.task { try await client.call("Stuck", "", options) }
                stuck.cancel()
                _ = await stuck.result
            case 7:
                guard let chat = try? await client.stream(service: echo, method: "Chat", options: options) else {
                    return
                }
                for _ in 0..<Int.random(in: 0..<4, using: &generator) {
                    try? await chat.send([1, 2, 3])
                    _ = try? await chat.next()
                }
                if Bool.random(using: &generator) { chat.closeSend() }
            case 8:
                let count = Bytes(Array("20".utf8)).value
                guard let stream = try? await client.stream(service: echo, method: "Count", payload: count) else {
                    return
                }
                for _ in 0..<Int.random(in: 0..<25, using: &generator) { _ = try? await stream.next() }
            default: _ = try? await client.call("Large", "100000", options)
            }
        }

        private func work(_ server: TestServer, _ reactor: Reactor, _ share: Int) async throws {
            var generator = SystemRandomNumberGenerator()
            var client = try await ClientConnection.connect(unixSocket: server.path, reactor: reactor)
            for _ in 0..<share {
                if Int.random(in: 0..<200, using: &generator) == 0 {
                    if Bool.random(using: &generator) { client.close() }
                    client = try await ClientConnection.connect(unixSocket: server.path, reactor: reactor)
                }
                await call(client, &generator)
            }
            client.close()
        }

        @Test func nothingIsLeft() async throws {
            try await withServer(journal: Journal(keeps: false)) { server in
                let clients = try Reactor(name: "soak")
                try clients.start()
                defer {
                    clients.stop()
                    clients.join()
                }
                let before = try descriptors()
                let share = Self.count / Self.workers
                try await withThrowingTaskGroup { group in
                    for _ in 0..<Self.workers { group.addTask { try await self.work(server, clients, share) } }
                    try await group.waitForAll()
                }
                // The last connections are gone when the server has seen their ends: it has while it counts none.
                var census = try await server.census()
                let deadline = ContinuousClock.now + .seconds(10)
                while census != ServerCore.Census(), ContinuousClock.now < deadline {
                    try await server.reactor.wait(until: .now + .milliseconds(1))
                    census = try await server.census()
                }
                #expect(census == ServerCore.Census())
                #expect(try descriptors() <= before)
            }
        }
    }
}

extension TestServer {
    /// What the server holds now.
    func census() async throws -> ServerCore.Census {
        let core = server.core
        return try await reactor.task { core.census }.value
    }
}
