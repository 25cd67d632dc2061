// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import RPC

@Suite struct ServerMetricsTests {
    @Test func callsAreCountedByMethodAndOutcome() async throws {
        let metrics = ServerMetrics()
        try await withServer(metrics: metrics) { server in
            let client = try await server.connect()
            for _ in 0..<3 { _ = try await client.call("Echo", "x") }
            _ = try await client.call("Now", "x")
            for _ in 0..<2 { await #expect(throws: RPCError.self) { try await client.call("Fail", "x") } }
            await #expect(throws: RPCError.self) { try await client.call("Nothing", "x") }
            let stuck = Task { try await client.call("Stuck", "") }
            await server.journal.wait(for: "stuck")
            let snapshot = metrics.snapshot
            #expect(snapshot.methods.map(\.method) == ["Echo", "Fail", "Now", "Stuck"])
            #expect(snapshot.methods.map(\.running) == [0, 0, 0, 1])
            #expect(snapshot.methods.map(\.outcomes) == [[.ok: 3], [.notFound: 2], [.ok: 1], [:]])
            #expect(snapshot.methods.map(\.times.count) == [3, 2, 1, 0])
            #expect(snapshot.methods[0].times.nanoseconds > 0)
            #expect(snapshot.refusals == 1)
            stuck.cancel()
            await server.journal.wait(for: "cancelled")
            _ = try await client.call("Echo", "x")
            #expect(metrics.snapshot.methods.last?.outcomes == [.cancelled: 1])
        }
    }

    @Test func connectionsStreamsAndBytesAreCounted() async throws {
        let metrics = ServerMetrics()
        try await withServer(metrics: metrics) { server in
            let client = try await server.connect()
            let other = try await server.connect()
            _ = try await other.call("Yield", "x")
            let chat = try await client.stream(service: echo, method: "Chat")
            let deaf = try await client.stream(service: echo, method: "Deaf")
            try await deaf.send(Array(repeating: 1, count: 5_000))
            await server.journal.wait(for: "deaf")
            // Answered behind the turn in which the message came.
            _ = try await client.call("Yield", "x")
            var snapshot = metrics.snapshot
            #expect(snapshot.connections == 2 && snapshot.acceptedConnections == 2)
            #expect(snapshot.streams == 2)
            #expect(snapshot.heldBytes > 5_000)
            chat.closeSend()
            deaf.cancel()
            await server.journal.wait(for: "chat closed")
            while try await chat.next() != nil {}
            other.close()
            while try await server.census().connections > 1 { _ = try await client.call("Yield", "x") }
            _ = try await client.call("Yield", "x")
            snapshot = metrics.snapshot
            #expect(snapshot.connections == 1 && snapshot.acceptedConnections == 2)
            #expect(snapshot.streams == 0)
            #expect(snapshot.heldBytes < 1_000)
        }
    }

    @Test func connectionsThatAreTurnedAwayAreCounted() async throws {
        let metrics = ServerMetrics()
        var limits = Limits()
        limits.connectionsPerUser = 1
        try await withServer(limits: limits, metrics: metrics) { server in
            let client = try await server.connect()
            #expect(try await client.call("Echo", "x") == "x")
            let peer = try RawPeer(server)
            #expect(try await peer.receive(1) == nil)
            #expect(metrics.snapshot.refusedConnections == 1)
        }
    }

    @Test func theTextIsThatOfPrometheus() {
        let metrics = ServerMetrics()
        var context = CallContext(service: "a.B", method: "C")
        context.methodIndex = 7
        context.started = .now - .seconds(60)
        metrics.began(context)
        metrics.ended(context, .aborted)
        metrics.began(context)
        let labels = "service=\"a.B\",method=\"C\""
        for line in [
            "gantry_rpc_running{\(labels)} 1", "gantry_rpc_calls_total{\(labels),code=\"ABORTED\"} 1",
            "gantry_rpc_seconds_bucket{\(labels),le=\"2.5e-05\"} 0",
            "gantry_rpc_seconds_bucket{\(labels),le=\"10.0\"} 0",
            "gantry_rpc_seconds_bucket{\(labels),le=\"+Inf\"} 1", "gantry_rpc_seconds_count{\(labels)} 1",
            "# TYPE gantry_rpc_connections gauge", "gantry_rpc_connections 0",
        ] {
            #expect(metrics.snapshot.text.split(separator: "\n").contains(Substring(line)), "\(line)")
        }
        #expect(metrics.snapshot.text.last == "\n")
    }

    @Test func serversMayShareMetrics() {
        let metrics = ServerMetrics()
        for (index, name) in [(0, "A"), (0, "B"), (1, "A"), (5, "A"), (0, "A"), (-1, "B")] {
            var context = CallContext(service: "s", method: name)
            context.methodIndex = index
            metrics.began(context)
        }
        #expect(metrics.snapshot.methods.map(\.method) == ["A", "B"])
        #expect(metrics.snapshot.methods.map(\.running) == [4, 2])
    }

    @Test func bucketsHoldTheirUpperBounds() {
        #expect(MethodMetrics.Times.bounds == MethodMetrics.Times.bounds.sorted())
        var times = MethodMetrics.Times()
        for elapsed in [0, 25_000, 25_001, 10_000_000_000, 10_000_000_001] as [Int64] { times.add(elapsed) }
        #expect(times.counts.first == 2 && times.counts[1] == 1)
        #expect(times.counts.suffix(2) == [1, 1])
        #expect(times.count == 5 && times.nanoseconds == 20_000_050_002)
    }

    @Test func errorsBecomeStatuses() async throws {
        let mapping = Interceptor.errors { $0 is Refused ? RPCError(.outOfRange, "mapped") : nil }
        try await withServer(interceptors: [mapping]) { server in
            let client = try await server.connect()
            let mapped = await #expect(throws: RPCError.self) { try await client.call("FailOdd", "x") }
            #expect(mapped == RPCError(.outOfRange, "mapped"))
            let left = await #expect(throws: RPCError.self) { try await client.call("Fail", "x") }
            #expect(left?.code == .notFound)
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    @Test func aCallWithoutADeadlineGetsTheServers() async throws {
        var limits = Limits()
        limits.callTime = .milliseconds(5)
        try await withServer(limits: limits) { server in
            let client = try await server.connect()
            for options in [CallOptions(), CallOptions(timeout: .seconds(3_600))] {
                let error = await #expect(throws: RPCError.self) { try await client.call("Stuck", "", options) }
                #expect(error?.code == .deadlineExceeded)
            }
            let text = try await client.call("Describe", "")
            #expect(String(decoding: text.value, as: UTF8.self) == "test.Echo/Describe \(geteuid()) [] true")
        }
    }
}
