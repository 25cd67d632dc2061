// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import SystemPackage
import Testing

@testable import RPC

@Suite struct ReconnectorTests {
    private func withReactor<T>(_ body: (Reactor, String) async throws -> T) async throws -> T {
        try await withTemporaryDirectory { directory in
            let reactor = try Reactor(name: "reconnect")
            try reactor.start()
            defer {
                reactor.stop()
                reactor.join()
            }
            return try await body(reactor, directory + "/socket")
        }
    }

    private func serve(_ reactor: Reactor, _ path: String, _ journal: Journal = Journal()) throws -> Server {
        let server = Server(reactor: reactor, router: echoRouter(journal))
        try server.listen(unixSocket: path)
        return server
    }

    @Test func aServerThatComesBackIsFound() async throws {
        try await withReactor { reactor, path in
            let journal = Journal()
            let first = try serve(reactor, path, journal)
            let client = Reconnector(unixSocket: path, reactor: reactor)
            let connection = try await client.connection()
            #expect(try await client.connection() === connection)
            let stuck = Task { try await connection.call("Stuck", "") }
            await journal.wait(for: "stuck")
            await first.shutdown()
            // What was in flight fails, once; it is not repeated behind its caller's back.
            let error = await #expect(throws: RPCError.self) { try await stuck.value }
            #expect(error?.code == .unavailable)
            #expect(connection.isClosed)

            // Nobody listens yet: the attempt waits for the second server.
            let waiting = Task { try await client.connection().call("Echo", "again") }
            let second = try serve(reactor, path)
            #expect(try await waiting.value == "again")
            #expect(try await client.connection().call("Echo", "x") == "x")
            await second.shutdown()
        }
    }

    @Test func patienceHasAnEnd() async throws {
        try await withReactor { reactor, path in
            for patience in [Duration.zero, .milliseconds(20)] {
                let client = Reconnector(unixSocket: path, reactor: reactor, patience: patience)
                let error = await #expect(throws: ConnectError.self) { try await client.connection() }
                #expect(error?.errno == .noSuchFileOrDirectory)
            }
        }
    }

    @Test func whoAsksTogetherGetsOneConnection() async throws {
        try await withReactor { reactor, path in
            let server = try serve(reactor, path)
            let client = Reconnector(unixSocket: path, reactor: reactor)
            let connections = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
                for _ in 0..<20 { group.addTask { ObjectIdentifier(try await client.connection()) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(connections.count == 1)
            let old = try await client.connection()
            client.disconnect()
            #expect(try await client.connection() !== old)
            await server.shutdown()
        }
    }
}
