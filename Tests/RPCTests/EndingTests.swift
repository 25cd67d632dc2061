// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import SystemPackage
import Testing

@testable import RPC

/// Deadlines, disconnects, shutting down.
@Suite struct EndingTests {
    @Test func aDisconnectCancelsTheCalls() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let call = Task { try await client.call("Stuck", "") }
            let stream = try await client.stream(service: echo, method: "Chat")
            await server.journal.wait(for: "stuck")
            client.close()
            await server.journal.wait(for: "cancelled")
            await server.journal.wait(for: "chat cancelled")
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .unavailable)
            await #expect(throws: RPCError.self) { try await stream.next() }
        }
    }

    @Test func aDeadlineAnswersAndCancels() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Stuck", timeout: 1_000_000))
            #expect(try await peer.receiveResponse() == "1 DEADLINE_EXCEEDED the deadline has passed")
            await server.journal.wait(for: "cancelled")
            // The handler's own end is not sent a second time.
            try await peer.send(request(3, "Echo", "x"))
            #expect(try await peer.receiveResponse() == "3 OK x")
        }
    }

    @Test func aClientsDeadlineEndsItsCall() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let options = CallOptions(timeout: .milliseconds(10))
            let unary = await #expect(throws: RPCError.self) { try await client.call("Stuck", "", options) }
            #expect(unary?.code == .deadlineExceeded)
            let stream = try await client.stream(service: echo, method: "Chat", options: options)
            let streaming = await #expect(throws: RPCError.self) { try await stream.next() }
            #expect(streaming?.code == .deadlineExceeded)
            let none = await #expect(throws: RPCError.self) {
                try await client.call("Echo", "", CallOptions(timeout: .zero))
            }
            #expect(none?.code == .deadlineExceeded)
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    @Test func aCancelledClientTaskStopsWaiting() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let call = Task { try await client.call("Stuck", "") }
            await server.journal.wait(for: "stuck")
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    @Test func aWorkerThatWasCancelledServesNoOtherCall() async throws {
        try await withServer { server in
            let client = try await server.connect()
            for _ in 0..<5 {
                await #expect(throws: RPCError.self) {
                    try await client.call("Stuck", "", CallOptions(timeout: .milliseconds(2)))
                }
                // Yields, and would notice a cancelled task.
                let stream = try await client.stream(service: echo, method: "Count", payload: Array("3".utf8))
                var count = 0
                for try await _ in stream { count += 1 }
                #expect(count == 3)
            }
        }
    }

    @Test func shutdownEndsCallsAndRemovesTheSocket() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let call = Task { try await client.call("Stuck", "") }
            await server.journal.wait(for: "stuck")
            await server.server.shutdown()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .unavailable)
            try await client.waitUntilClosed()
            await server.journal.wait(for: "cancelled")
            #expect(access(server.path, F_OK) == -1)
            let refused = await #expect(throws: ConnectError.self) { _ = try await server.connect() }
            #expect(refused?.errno == .noSuchFileOrDirectory)
        }
    }

    @Test func drainingWaitsForCallsAndRefusesNewOnes() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let idle = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Chat")
            try await stream.send([1])
            #expect(try await stream.next() == [1])
            let drain = Task { await server.server.drain(deadline: .now + .seconds(3_600)) }
            try await idle.waitUntilClosed()
            let refused = await #expect(throws: RPCError.self) { try await client.call("Echo", "") }
            #expect(refused == RPCError(.unavailable, "the server is shutting down"))
            try await stream.send([2])
            #expect(try await stream.next() == [2])
            stream.closeSend()
            #expect(try await stream.next() == nil)
            await drain.value
            try await client.waitUntilClosed()
        }
    }

    @Test func drainingEndsAtItsDeadline() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let call = Task { try await client.call("Stuck", "") }
            await server.journal.wait(for: "stuck")
            await server.server.drain(deadline: .now + .milliseconds(10))
            await server.journal.wait(for: "cancelled")
            await #expect(throws: RPCError.self) { try await call.value }
        }
    }

    @Test func aCancelledTaskShutsDownAllTheSame() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await server.server.drain(deadline: .now + .seconds(3_600))
            }
            await task.value
            try await client.waitUntilClosed()
            #expect(access(server.path, F_OK) == -1)
        }
    }

    @Test func theEndOfTheReactorEndsServersAndClients() async throws {
        try await withTemporaryDirectory { directory in
            let reactor = try Reactor()
            try reactor.start()
            let journal = Journal()
            let server = Server(reactor: reactor, router: echoRouter(journal))
            let path = directory + "/socket"
            try server.listen(unixSocket: path)
            let client = try await ClientConnection.connect(unixSocket: path, reactor: reactor)
            let call = Task { try await client.call("Stuck", "") }
            await journal.wait(for: "stuck")
            reactor.stop()
            await #expect(throws: RPCError.self) { try await call.value }
            reactor.join()
            await journal.wait(for: "cancelled")
            #expect(access(path, F_OK) == -1)
            await #expect(throws: RPCError.self) { try await client.call("Echo", "") }
        }
    }

    /// Connections, calls and workers are freed, and their descriptors with them.
    @Test func nothingKeepsAServerThatWasShutDown() async throws {
        weak var reactor: Reactor?
        weak var core: ServerCore?
        weak var channel: ClientChannel?
        try await withServer { server in
            (reactor, core) = (server.reactor, server.server.core)
            let client = try await server.connect()
            channel = client.channel
            for _ in 0..<10 { _ = try await client.call("Yield", "x") }
            _ = await Task { try await client.call("Stuck", "", CallOptions(timeout: .milliseconds(1))) }.result
            let stream = try await client.stream(service: echo, method: "Chat")
            try await stream.send([1])
            let call = Task { try await client.call("Stuck", "") }
            await server.server.shutdown()
            _ = await call.result
        }
        #expect(core == nil)
        #expect(channel == nil)
        #expect(reactor == nil)
    }
}
