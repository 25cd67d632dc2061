// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

/// What the server answers to frames that no client of ours would send.
@Suite struct ProtocolTests {
    /// Sends bytes, and expects these answers; the connection must then still serve a call.
    private func exchange(
        _ bytes: [UInt8], _ answers: [String], next: UInt32 = 101, limits: Limits = Limits(),
        location: SourceLocation = #_sourceLocation
    ) async throws {
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(server)
            try await peer.send(bytes + request(next, "Echo", "still here"))
            var received: [String] = []
            for _ in 0...answers.count { received.append(try await peer.receiveResponse()) }
            #expect(received == answers + ["\(next) OK still here"], sourceLocation: location)
        }
    }

    @Test func unknownNamesAreUnimplemented() async throws {
        try await exchange(
            request(1, "Echo", service: "no.Such") + request(3, "Nothing"),
            ["1 UNIMPLEMENTED service no.Such", "3 UNIMPLEMENTED method Nothing"])
    }

    @Test func brokenIDsAreInvalid() async throws {
        try await exchange(
            request(5, "Echo", "five") + request(2, "Echo") + frame(4, 0x77) + request(3, "Echo"),
            [
                "2 INVALID_ARGUMENT stream id 2 is even", "4 INVALID_ARGUMENT stream id 4 is even",
                "3 INVALID_ARGUMENT stream id 3 is not above 5", "5 OK five",
            ])
    }

    @Test func aBrokenEnvelopeIsInvalidAndItsIDIsUsed() async throws {
        try await exchange(
            frame(1, 1, 0, [0x0a, 9]) + request(1, "Echo"),
            [
                "1 INVALID_ARGUMENT the request does not decode: a field is longer than its message at byte 1",
                "1 INVALID_ARGUMENT stream id 1 is not above 1",
            ])
    }

    @Test func anArgumentThatDoesNotDecodeIsInvalid() async throws {
        try await exchange(
            request(1, "Echo", Bytes([0xff])) + request(3, "Count", Bytes([0xff])),
            ["1", "3"].map { "\($0) INVALID_ARGUMENT the request does not decode: bad tag at byte 0" })
    }

    @Test func aResultThatDoesNotEncodeIsInternal() async throws {
        try await exchange(
            request(1, "Echo", Bytes([0xfe])), ["1 INTERNAL the result does not encode: bad tag at byte 0"])
    }

    @Test func theErrorsOfHandlersKeepTheirCode() async throws {
        try await exchange(
            request(1, "Fail", "x") + request(3, "FailOdd") + request(5, "FailOK"),
            ["1 NOT_FOUND no such thing", "3 UNKNOWN bad tag at byte 3", "5 UNKNOWN not an error"])
    }

    @Test func strayFramesAreSkippedOrRefused() async throws {
        try await exchange(
            frame(1, 0x77, 0xff, [1, 2, 3]) + frame(1, 2, 0, [1]) + frame(9, 3, 0, [1]) + frame(9, 3, 5),
            ["9 INVALID_ARGUMENT stream 9 is not active", "9 INVALID_ARGUMENT stream 9 is not active"])
    }

    @Test func dataForAUnaryCallFailsItAndNothingElse() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Stuck"))
            await server.journal.wait(for: "stuck")
            try await peer.send(frame(1, 3, 0, [1]) + request(3, "Echo", "three"))
            #expect(try await peer.receiveResponse() == "1 INVALID_ARGUMENT stream 1 takes no more messages")
            await server.journal.wait(for: "cancelled")
            #expect(try await peer.receiveResponse() == "3 OK three")
        }
    }

    @Test func aClosingFrameWithDataFailsTheStreamOnce() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Chat", flags: 2) + frame(1, 3, 1, [1]))
            #expect(
                try await peer.receiveResponse() == "1 INVALID_ARGUMENT the closing frame of stream 1 carries data")
            try await peer.send(request(3, "Echo", "three"))
            #expect(try await peer.receiveResponse() == "3 OK three")
        }
    }

    @Test func oversizedRequestsAreSkipped() async throws {
        try await exchange(
            frame(1, 1, 0, [UInt8](repeating: 0, count: 4 << 20 + 1)),
            ["1 RESOURCE_EXHAUSTED a frame of 4194305 bytes is above the limit of 4194304"])
    }

    @Test func anOversizedResultIsReplaced() async throws {
        try await exchange(
            request(1, "Large", "4194304"),
            ["1 RESOURCE_EXHAUSTED a response of 4194309 bytes is above the limit of 4194304"])
    }

    @Test func aNegativeTimeoutHasPassedAlready() async throws {
        try await exchange(request(1, "Stuck", timeout: -1), ["1 DEADLINE_EXCEEDED the deadline has passed"])
    }

    @Test func theLongestTimeoutIsNoTrap() async throws {
        try await exchange(request(1, "Echo", "x", timeout: .max), ["1 OK x"])
    }

    @Test func requestFlagsDoNotDecideTheShape() async throws {
        // A unary call that says it will send more, as any old client may; and a closed stream that never opened.
        try await withServer { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Echo", "x", flags: 2))
            #expect(try await peer.receiveResponse() == "1 OK x")
            try await peer.send(request(3, "Join", "first", flags: 1))
            #expect(try await peer.receiveResponse() == "3 OK first")
            try await peer.send(request(5, "Join", "first,", flags: 2) + frame(5, 3, 0, [0x62]) + frame(5, 3, 1))
            #expect(try await peer.receiveResponse() == "5 OK first,b")
        }
    }

    @Test func aServerStreamEndsWithAnEmptyClosingFrame() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Count", "1", flags: 1))
            let first = try await peer.receiveFrame()
            #expect(first?.header == FrameHeader(length: 1, streamID: 1, type: .data))
            let last = try await peer.receiveFrame()
            #expect(last?.header == FrameHeader(length: 0, streamID: 1, type: .data, flags: [.remoteClosed, .noData]))
        }
    }

    @Test func framesAreServedHoweverTheyAreCut() async throws {
        let bytes = request(1, "Echo", "one") + request(3, "Echo", "two")
        // A byte at a time takes long on a busy machine.
        var limits = Limits()
        limits.frameTime = .seconds(300)
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(server)
            for byte in bytes {
                try await peer.send([byte])
                // The byte has to be read by itself: the reactor looks at its sockets once more.
                try await server.reactor.task { await Task.yield() }.value
            }
            #expect(try await peer.receiveResponse() == "1 OK one")
            #expect(try await peer.receiveResponse() == "3 OK two")
        }
    }

    @Test func whateverBytesComeOthersAreServed() async throws {
        try await withServer { server in
            var generator = SystemRandomNumberGenerator()
            let witness = try await server.connect()
            for round in 0..<100 {
                let peer = try RawPeer(server)
                var bytes: [UInt8] = []
                for _ in 0..<20 {
                    let body = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes += body
                    case 1:
                        bytes += frame(
                            .random(in: 0...9, using: &generator), .random(in: 0...4, using: &generator),
                            .random(in: 0...7, using: &generator), body)
                    case 2: bytes += request(.random(in: 0...99, using: &generator), "Chat", Bytes(body), flags: 2)
                    default: bytes += request(.random(in: 0...99, using: &generator), "Echo", Bytes(body))
                    }
                }
                try await peer.send(bytes)
                if round % 2 == 0 { shutdown(peer.descriptor.raw, Int32(SHUT_WR)) }
                #expect(try await witness.call("Echo", "alive") == "alive")
            }
        }
    }
}
