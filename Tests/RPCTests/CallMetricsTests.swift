// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import RPC

@Suite struct CallMetricsTests {
    @Test func callsAreCountedByMethodAndOutcome() async throws {
        let metrics = CallMetrics()
        try await withServer(interceptors: [.metrics(metrics)]) { server in
            let client = try await server.connect()
            for _ in 0..<3 { _ = try await client.call("Echo", "x") }
            _ = try await client.call("Now", "x")
            for _ in 0..<2 { await #expect(throws: RPCError.self) { try await client.call("Fail", "x") } }
            await #expect(throws: RPCError.self) { try await client.call("Nothing", "x") }
            let stuck = Task { try await client.call("Stuck", "") }
            await server.journal.wait(for: "stuck")
            let text = metrics.text
            let echo = "service=\"test.Echo\",method=\"Echo\""
            #expect(text.contains("gantry_rpc_calls_total{\(echo),code=\"OK\"} 3\n"), "\(text)")
            #expect(text.contains("gantry_rpc_seconds_bucket{\(echo),le=\"+Inf\"} 3\n"))
            #expect(text.contains("gantry_rpc_seconds_count{\(echo)} 3\n"))
            #expect(text.contains("method=\"Fail\",code=\"NOT_FOUND\"} 2\n"))
            #expect(text.contains("method=\"Now\",code=\"OK\"} 1\n"))
            #expect(text.contains("gantry_rpc_running{service=\"test.Echo\",method=\"Stuck\"} 1\n"))
            #expect(!text.contains("Nothing"))
            stuck.cancel()
            await server.journal.wait(for: "cancelled")
            _ = try await client.call("Echo", "x")
            #expect(metrics.text.contains("method=\"Stuck\",code=\"CANCELLED\"} 1\n"), "\(metrics.text)")
        }
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
