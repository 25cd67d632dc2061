// SPDX-License-Identifier: Apache-2.0
import Glibc
import Reactor
import Testing

@testable import RPC

@Suite struct ServerTests {
    @Test func aUnaryCallComesBack() async throws {
        try await withServer { server in
            let client = try await server.connect()
            #expect(try await client.call("Echo", "hello") == "hello")
            #expect(try await client.call("Echo", "") == "")
            #expect(try await client.call("Yield", "again") == "again")
        }
    }

    @Test(arguments: [1, 65_536, 1 << 20, (4 << 20) - 64])
    func payloadsOfAllSizesComeBack(_ size: Int) async throws {
        try await withServer { server in
            let client = try await server.connect()
            let payload = Bytes((0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) })
            #expect(try await client.call("Echo", payload) == payload)
        }
    }

    @Test func callsOnOneConnectionRunAtOnce() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let stuck = Task { try await client.call("Stuck", "", CallOptions(timeout: .milliseconds(200))) }
            await server.journal.wait(for: "stuck")
            #expect(try await client.call("Echo", "past it") == "past it")
            let error = await #expect(throws: RPCError.self) { _ = try await stuck.value }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    @Test func thousandsOfCallsInFlight() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let payload = Bytes(Array("\(number)".utf8))
                        return try await client.call(number % 2 == 0 ? "Echo" : "Yield", payload) == payload
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test func aServerStreamEndsAfterItsMessages() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Count", payload: Array("1000".utf8))
            var number = 0
            for try await message in stream {
                #expect(message == Array("\(number)".utf8))
                number += 1
            }
            #expect(number == 1_000)
            #expect(try await stream.next() == nil)
        }
    }

    @Test func aClientStreamGivesOneResult() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Join")
            for word in ["one ", "", "two"] { try await stream.send(Array(word.utf8)) }
            stream.closeSend()
            #expect(try await stream.next() == Array("one two".utf8))
            #expect(try await stream.next() == nil)
        }
    }

    @Test func bothSidesOfAStreamTalk() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Chat")
            for number in 0..<100 {
                try await stream.send(Array("\(number)".utf8))
                #expect(try await stream.next() == Array("\(number)".utf8))
            }
            stream.closeSend()
            #expect(try await stream.next() == nil)
            await server.journal.wait(for: "chat closed")
        }
    }
}
