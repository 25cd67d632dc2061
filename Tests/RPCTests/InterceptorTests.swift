// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

@Suite struct InterceptorTests {
    @Test func theFirstIsTheOutermostAndAllSeeTheCall() async throws {
        let journal = Journal()
        func noting(_ name: String) -> Interceptor {
            Interceptor { context, next in
                journal.note("\(name) \(context.method) begins")
                try await next()
                journal.note("\(name) \(context.method) ends")
            }
        }
        try await withServer(interceptors: [noting("outer"), noting("inner")]) { server in
            let client = try await server.connect()
            #expect(try await client.call("Yield", "x") == "x")
            #expect(
                journal.events == [
                    "outer Yield begins", "inner Yield begins", "inner Yield ends", "outer Yield ends",
                ])
            let stream = try await client.stream(service: echo, method: "Count", payload: Array("2".utf8))
            var count = 0
            for try await _ in stream { count += 1 }
            #expect(count == 2)
            #expect(journal.events.last == "outer Count ends")
        }
    }

    @Test func anInterceptorMayRefuse() async throws {
        let policy = Interceptor { context, next in
            guard context.method != "Echo" else { throw RPCError(.permissionDenied, "uid \(context.peer?.uid ?? 99)") }
            try await next()
        }
        try await withServer(interceptors: [policy]) { server in
            let client = try await server.connect()
            let error = await #expect(throws: RPCError.self) { try await client.call("Echo", Bytes([0xff])) }
            #expect(error?.code == .permissionDenied)
            #expect(try await client.call("Yield", "x") == "x")
        }
    }

    @Test func anInterceptorSeesAndMayReplaceTheError() async throws {
        let replacing = Interceptor { _, next in
            do {
                try await next()
            } catch let error as RPCError where error.code == .invalidArgument {
                throw RPCError(.dataLoss, "replaced: \(error.message)")
            }
        }
        try await withServer(interceptors: [replacing]) { server in
            let client = try await server.connect()
            let error = await #expect(throws: RPCError.self) { try await client.call("Echo", Bytes([0xff])) }
            #expect(error == RPCError(.dataLoss, "replaced: the request does not decode: bad tag at byte 0"))
        }
    }

    @Test func aCallThatAnInterceptorSwallowsIsInternal() async throws {
        let silent = Interceptor { (_: CallContext, _: () async throws -> Void) in }
        try await withServer(interceptors: [silent]) { server in
            let client = try await server.connect()
            let error = await #expect(throws: RPCError.self) { try await client.call("Echo", "") }
            #expect(error?.code == .internal)
        }
    }
}
