// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

@Suite struct LimitsTests {
    private func limits(_ change: (inout Limits) -> Void) -> Limits {
        var limits = Limits()
        change(&limits)
        return limits
    }

    @Test func callsAboveTheLimitOfAConnectionAreRefused() async throws {
        try await withServer(limits: limits { $0.streams = 2 }) { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Stuck") + request(3, "Stuck") + request(5, "Echo"))
            #expect(
                try await peer.receiveResponse()
                    == "5 RESOURCE_EXHAUSTED 2 calls run on this connection, which is the limit")
            let other = try await server.connect()
            #expect(try await other.call("Echo", "x") == "x")
        }
    }

    @Test func callsThatOutliveTheirDeadlineStillCount() async throws {
        try await withServer(limits: limits { $0.streams = 1 }) { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Deafness", timeout: 1) + request(3, "Stuck", timeout: 1_000_000))
            #expect(try await peer.receiveResponse() == "1 UNIMPLEMENTED method Deafness")
            #expect(try await peer.receiveResponse() == "3 DEADLINE_EXCEEDED the deadline has passed")
            // Its handler has noticed by now, or will; afterwards there is room.
            await server.journal.wait(for: "cancelled")
            try await server.reactor.task { await Task.yield() }.value
            try await peer.send(request(5, "Echo", "x"))
            #expect(try await peer.receiveResponse() == "5 OK x")
        }
    }

    @Test func callsAboveTheLimitOfTheServerAreRefused() async throws {
        try await withServer(limits: limits { $0.calls = 1 }) { server in
            let (first, second) = (try RawPeer(server), try RawPeer(server))
            try await first.send(request(1, "Stuck"))
            await server.journal.wait(for: "stuck")
            // Four are everybody's right; the fifth is not.
            try await second.send([1, 3, 5, 7, 9].flatMap { request($0, "Stuck") })
            #expect(try await second.receiveResponse() == "9 RESOURCE_EXHAUSTED 5 calls run, which is the limit")
        }
    }

    @Test func requestsAboveTheLimitOfBytesAreRefused() async throws {
        try await withServer(limits: limits { $0.requestBytes = 1_000 }) { server in
            let peer = try RawPeer(server)
            // One call may always run, however large it is.
            try await peer.send(request(1, "Stuck", Bytes(Array(repeating: 0, count: 2_000))) + request(3, "Echo"))
            let answer = try await peer.receiveResponse()
            #expect(answer.hasPrefix("3 RESOURCE_EXHAUSTED the calls on this connection hold 20"))
        }
    }

    @Test func aFrameThatStaysHalfReadClosesItsConnection() async throws {
        try await withServer(limits: limits { $0.frameTime = .milliseconds(50) }) { server in
            let (slow, idle) = (try RawPeer(server), try await server.connect())
            try await slow.send(Array(request(1, "Echo", "x").dropLast()))
            #expect(try await slow.receiveResponse() == "closed")
            // An idle connection may stay.
            #expect(try await idle.call("Echo", "x") == "x")
        }
    }

    @Test func aHeaderThatStaysHalfReadClosesItsConnection() async throws {
        try await withServer(limits: limits { $0.frameTime = .milliseconds(50) }) { server in
            let peer = try RawPeer(server)
            try await peer.send([0])
            #expect(try await peer.receiveResponse() == "closed")
        }
    }

    @Test func connectionsAboveTheLimitWaitForOneToClose() async throws {
        try await withServer(limits: limits { $0.connections = 2 }) { server in
            let (first, second) = (try RawPeer(server), try RawPeer(server))
            for peer in [first, second] {
                try await peer.send(request(1, "Echo", "x"))
                #expect(try await peer.receiveResponse() == "1 OK x")
            }
            let third = try RawPeer(server)
            try await third.send(request(1, "Echo", "third"))
            // Still served, which shows that the reactor has been round since.
            try await first.send(request(3, "Echo", "x"))
            #expect(try await first.receiveResponse() == "3 OK x")
            var byte: UInt8 = 0
            #expect(recv(third.descriptor.raw, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == -1)
            shutdown(second.descriptor.raw, Int32(SHUT_RDWR))
            #expect(try await third.receiveResponse() == "1 OK third")
        }
    }

    @Test func aClientThatNeverReadsHoldsNoMoreThanItsLimit() async throws {
        let limits = limits { $0.outboundBytes = 1 << 20 }
        try await withServer(limits: limits) { server in
            let deaf = try RawPeer(server)
            try await deaf.send(request(1, "Flood", flags: 1))
            // 64 KiB a message: 16 fill the limit, and a few more the socket's own buffer.
            await server.journal.wait(for: "sent 16")
            let witness = try await server.connect()
            for _ in 0..<100 { #expect(try await witness.call("Yield", "x") == "x") }
            let sent = server.journal.events.count
            #expect(sent < 40)
            // As soon as the client reads, the handler goes on.
            let goal = sent + 20
            for _ in 0...goal { _ = try await deaf.receiveFrame() }
            await server.journal.wait(for: "sent \(goal)")
            shutdown(deaf.descriptor.raw, Int32(SHUT_RDWR))
            await server.journal.wait(for: "flood ended")
        }
    }

    @Test func aClientThatNeverReadsIsNotReadEither() async throws {
        let limits = limits { $0.outboundBytes = 256 << 10 }
        try await withServer(limits: limits) { server in
            let deaf = try RawPeer(server)
            let (call, size) = (request(1, "Echo", Bytes(Array(repeating: 1, count: 32 << 10))), 32 << 10)
            var (sent, id): (Int, UInt32) = (0, 1)
            let witness = try await server.connect()
            // Until the server has not taken anything for a while of its own turns.
            var refusals = 0
            while refusals < 50 {
                var bytes = call
                bytes.replaceSubrange(4..<8, with: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> $0) })
                let count = try deaf.sendNow(bytes)
                refusals = count == 0 ? refusals + 1 : 0
                sent += count
                if count == bytes.count { id += 2 } else if count > 0 { break }
                #expect(try await witness.call("Echo", "x") == "x")
                try #require(sent < 100 * size, "the server reads without end")
            }
            // And goes on when its answers are taken.
            for _ in 0..<(id / 2) { #expect(try await deaf.receiveFrame() != nil) }
        }
    }

    @Test func messagesThatNobodyTakesStopTheReading() async throws {
        let limits = limits { $0.inboundBytes = 256 << 10 }
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Deaf", flags: 2))
            await server.journal.wait(for: "deaf")
            let message = frame(1, 3, 0, [UInt8](repeating: 1, count: 16 << 10))
            let witness = try await server.connect()
            var (taken, refusals) = (0, 0)
            while refusals < 50 {
                let count = try peer.sendNow(message)
                refusals = count == 0 ? refusals + 1 : 0
                taken += count
                #expect(try await witness.call("Echo", "x") == "x")
                if count > 0, count < message.count { break }
                try #require(taken < 8 << 20, "the server reads without end")
            }
            // The peer's going is seen although nothing is read any more.
            shutdown(peer.descriptor.raw, Int32(SHUT_RDWR))
            #expect(try await peer.receiveResponse() == "closed")
        }
    }

    @Test func emptyMessagesCountToo() async throws {
        let limits = limits { $0.inboundBytes = 64 << 10 }
        try await withServer(limits: limits) { server in
            let client = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Deaf")
            await server.journal.wait(for: "deaf")
            for _ in 0..<2_000 { try await stream.send([]) }
            client.close()
        }
    }
}
