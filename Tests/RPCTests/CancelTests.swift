// SPDX-License-Identifier: Apache-2.0
import Kernel
import Reactor
import Testing

@testable import RPC

/// A client's giving up, as the server sees it.
@Suite struct CancelTests {
    @Test func aCancelledCallIsCancelledOnTheServer() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let call = Task { try await client.call("Stuck", "") }
            await server.journal.wait(for: "stuck")
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            await server.journal.wait(for: "cancelled")
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    @Test func aClientsDeadlineIsTheServersToo() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let options = CallOptions(timeout: .milliseconds(5))
            await #expect(throws: RPCError.self) { try await client.call("Stuck", "", options) }
            await server.journal.wait(for: "cancelled")
        }
    }

    @Test func aStreamThatNobodyHoldsIsCancelled() async throws {
        try await withServer { server in
            let client = try await server.connect()
            do {
                let stream = try await client.stream(service: echo, method: "Chat")
                try await stream.send([1])
                #expect(try await stream.next() == [1])
            }
            await server.journal.wait(for: "chat cancelled")
            let flood = try await client.stream(service: echo, method: "Flood", payload: [])
            _ = try await flood.next()
            flood.cancel()
            await server.journal.wait(for: "flood ended")
        }
    }

    @Test func nothingIsSentForACancelledStream() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            try await peer.send(request(1, "Stuck"))
            await server.journal.wait(for: "stuck")
            // Twice, once for a stream that never was, and with data: none of it is answered.
            try await peer.send(frame(1, 0xc0) + frame(1, 0xc0) + frame(9, 0xc0, 0, [1, 2, 3]))
            await server.journal.wait(for: "cancelled")
            try await peer.send(request(11, "Echo", "x"))
            #expect(try await peer.receiveResponse() == "11 OK x")
        }
    }

    /// The rapid reset: streams are opened and cancelled faster than their handlers end.
    @Test func cancelledCallsCountUntilTheirHandlersReturn() async throws {
        var limits = Limits()
        limits.streams = 8
        try await withServer(limits: limits) { server in
            let peer = try RawPeer(server)
            var flood: [UInt8] = []
            for index in 0..<200 {
                flood += request(UInt32(index * 2 + 1), "Stuck") + frame(UInt32(index * 2 + 1), 0xc0)
            }
            try await peer.send(flood + request(401, "Echo", "x"))
            var refused = 0
            while let (header, data) = try await peer.receiveFrame(), header.streamID != 401 {
                let answer = try data.withUnsafeBytes { try ResponseEnvelope(decoding: $0) }
                guard case .status(let status) = answer else { continue }
                #expect(status.code == .resourceExhausted)
                refused += 1
            }
            #expect(refused > 40)
        }
    }

    @Test func aServerThatDoesNotKnowCancelsGoesOn() async throws {
        try await withServer { server in
            let peer = try RawPeer(server)
            // As other servers see our cancel: a frame of a type that means nothing to them.
            try await peer.send(frame(1, 0xc1, 0, [1]) + request(1, "Echo", "x"))
            #expect(try await peer.receiveResponse() == "1 OK x")
        }
    }
}
