// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

/// Handlers that run without a task, and hooks around them.
@Suite struct ImmediateTests {
    @Test func resultsAndErrors() async throws {
        try await withServer { server in
            let client = try await server.connect()
            #expect(try await client.call("Now", "x") == "x")
            let failed = await #expect(throws: RPCError.self) { try await client.call("Now", "fail") }
            #expect(failed == RPCError(.aborted, "as asked"))
            let undecodable = await #expect(throws: RPCError.self) { try await client.call("Now", Bytes([0xff])) }
            #expect(undecodable == RPCError(.invalidArgument, "the request does not decode: bad tag at byte 0"))
            let unencodable = await #expect(throws: RPCError.self) { try await client.call("Now", Bytes([0xfe])) }
            #expect(unencodable?.code == .internal)
            let large = await #expect(throws: RPCError.self) { try await client.call("Now", "large") }
            #expect(large?.code == .resourceExhausted)
            #expect(try await client.call("Now", "still here") == "still here")
        }
    }

    @Test func itNeedsNoTask() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            // Answers come in the order of the requests, before a handler with a task has begun.
            try await peer.send(request(1, "Yield", "a") + request(3, "Now", "b"))
            #expect(try await peer.receiveResponse() == "3 OK b")
            #expect(try await peer.receiveResponse() == "1 OK a")
        }
    }

    private func noting(_ journal: Journal, _ name: String) -> Interceptor {
        Interceptor {
            if $0.method == "Describe" { throw RPCError(.permissionDenied, name) }
            journal.note("\(name) before")
        } after: { _, error in
            journal.note("\(name) after \(error.map { RPCError(describing: $0).code.description } ?? "success")")
            if let error = error as? RPCError, error.code == .aborted { return RPCError(.dataLoss, name) }
            return nil
        }
    }

    @Test(arguments: ["Now", "Yield"]) func hooksRunAroundBothKinds(_ method: String) async throws {
        let journal = Journal()
        try await withServer(interceptors: [noting(journal, "outer"), noting(journal, "inner")]) { server in
            let client = try await server.connect()
            #expect(try await client.call(method, "x") == "x")
            #expect(journal.events == ["outer before", "inner before", "inner after success", "outer after success"])
            let refused = await #expect(throws: RPCError.self) { try await client.call("Describe", "") }
            #expect(refused == RPCError(.permissionDenied, "outer"))
            #expect(journal.events.count == 4)
        }
    }

    @Test func hooksSeeAndReplaceErrors() async throws {
        let journal = Journal()
        try await withServer(interceptors: [noting(journal, "outer"), noting(journal, "inner")]) { server in
            let client = try await server.connect()
            let error = await #expect(throws: RPCError.self) { try await client.call("Now", "fail") }
            #expect(error == RPCError(.dataLoss, "inner"))
            #expect(journal.events.suffix(2) == ["inner after ABORTED", "outer after DATA_LOSS"])
        }
    }

    /// An interceptor that may suspend puts a synchronous handler into a task; it answers all the same.
    @Test func aMixOfInterceptors() async throws {
        let journal = Journal()
        let around = Interceptor { (context: CallContext, next: () async throws -> Void) in
            await Task.yield()
            journal.note("around")
            try await next()
        }
        try await withServer(interceptors: [noting(journal, "outer"), around]) { server in
            let client = try await server.connect()
            #expect(try await client.call("Now", "x") == "x")
            #expect(journal.events == ["outer before", "around", "outer after success"])
        }
    }

    @Test func theProcessAtTheOtherEndIsKnown() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let text = try await client.call("Process", "")
            let process = String(decoding: text.value, as: UTF8.self)
            // nil before Linux 6.5.
            #expect(process == "\(getpid()) alive" || process == "none")
        }
    }
}
