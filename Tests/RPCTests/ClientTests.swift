// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

/// Our client against a server that says what the test wants.
@Suite struct ClientTests {
    private func withPeer<T>(_ body: (ClientConnection, RawPeer) async throws -> T) async throws -> T {
        try await withTemporaryDirectory { directory in
            let reactor = try Reactor(name: "client-test")
            try reactor.start()
            defer {
                reactor.stop()
                reactor.join()
            }
            let listener = try UnixListener(directory + "/socket", mode: 0o600)
            let client = try await ClientConnection.connect(unixSocket: listener.path, reactor: reactor)
            let accepted = try UnixSocket.accept(listener.descriptor.raw)
            listener.unlinkFile()
            guard let accepted else { throw Refused(offset: -3) }
            return try await body(client, RawPeer(accepted, reactor))
        }
    }

    /// Makes a unary call and has the peer answer it with these bytes.
    private func unary(_ answer: [UInt8]) async throws -> Result<Bytes, any Error> {
        try await withPeer { client, peer in
            let call = Task { try await client.call("Echo", "x") }
            let request = try await peer.receiveFrame()
            #expect(request?.header.streamID == 1 && request?.header.type == .request && request?.header.flags == [])
            try await peer.send(answer)
            return await call.result
        }
    }

    private func code(_ result: Result<Bytes, any Error>) -> StatusCode? {
        guard case .failure(let error) = result else { return nil }
        return (error as? RPCError)?.code
    }

    @Test func framesForOthersAreIgnored() async throws {
        let noise = frame(3, 2, 0, [1]) + frame(2, 3, 5) + frame(1, 0x77, 0, [1]) + frame(1, 1)
        #expect(try await unary(noise + frame(1, 2, 0, [0x12, 1, 0x79])).get() == "y")
    }

    @Test func dataForAUnaryCallIsAViolation() async throws {
        #expect(code(try await unary(frame(1, 3, 0, [1]))) == .internal)
    }

    @Test func anOversizedResponseIsResourceExhausted() async throws {
        #expect(code(try await unary(frame(1, 2, 0, [], length: 4 << 20 + 1))) == .resourceExhausted)
    }

    @Test func aResponseThatDoesNotDecodeIsInternal() async throws {
        #expect(code(try await unary(frame(1, 2, 0, [0x12, 9]))) == .internal)
    }

    @Test func errorsComeWithTheirDetails() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let error = await #expect(throws: RPCError.self) { try await client.call("Fail", "detail") }
            #expect(
                error
                    == RPCError(
                        .notFound, "no such thing",
                        details: [StatusDetail(typeURL: "type/x", value: Array("detail".utf8))]))
        }
    }

    @Test func theServersGoingFailsAllCalls() async throws {
        try await withPeer { client, peer in
            let call = Task { try await client.call("Echo", "x") }
            _ = try await peer.receiveFrame()
            // Half of an answer does not count.
            try await peer.send(Array(frame(1, 2, 0, [0x12, 1, 0x79]).dropLast()))
            shutdown(peer.descriptor.raw, Int32(SHUT_RDWR))
            #expect(code(await call.result) == .unavailable)
            try await client.waitUntilClosed()
            #expect(code(await Task { try await client.call("Echo", "x") }.result) == .unavailable)
        }
    }

    @Test func aRequestThatIsTooLargeFailsHere() async throws {
        try await withPeer { client, peer in
            let large = [UInt8](repeating: 0, count: 4 << 20)
            let error = await #expect(throws: RPCError.self) { try await client.call("Echo", Bytes(large)) }
            #expect(error?.code == .resourceExhausted)
            let stream = try await client.stream(service: echo, method: "Chat")
            let tooLarge = await #expect(throws: RPCError.self) { try await stream.send(large + [0]) }
            #expect(tooLarge?.code == .resourceExhausted)
            // The stream goes on, with the id that the call did not use.
            let request = try await peer.receiveFrame()
            #expect(request?.header.streamID == 1 && request?.header.flags == .remoteOpen)
        }
    }

    @Test func theServerMayEndAStreamWithAMessage() async throws {
        try await withPeer { client, peer in
            let stream = try await client.stream(service: echo, method: "Count", payload: [1])
            let request = try await peer.receiveFrame()
            #expect(request?.header.flags == .remoteClosed)
            try await peer.send(frame(1, 3, 0, [1]) + frame(1, 3) + frame(1, 3, 1, [3]) + frame(1, 3, 0, [4]))
            var messages: [[UInt8]] = []
            for try await message in stream { messages.append(message) }
            #expect(messages == [[1], [], [3]])
        }
    }

    @Test func anErrorComesAfterTheMessagesBeforeIt() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Chat")
            try await stream.send([1])
            try await stream.send(Array("fail".utf8))
            #expect(try await stream.next() == [1])
            let error = await #expect(throws: RPCError.self) { try await stream.next() }
            #expect(error == RPCError(.aborted, "as asked"))
            let late = await #expect(throws: RPCError.self) { try await stream.send([2]) }
            #expect(late == error)
        }
    }

    @Test func nothingIsSentOnAStreamThatHasEnded() async throws {
        try await withPeer { client, peer in
            let stream = try await client.stream(service: echo, method: "Chat")
            _ = try await peer.receiveFrame()
            try await peer.send(frame(1, 3, 5))
            #expect(try await stream.next() == nil)
            let error = await #expect(throws: RPCError.self) { try await stream.send([1]) }
            #expect(error?.code == .failedPrecondition)
            stream.closeSend()
            let call = Task { try await client.call("Echo", "x") }
            let next = try await peer.receiveFrame()
            #expect(next?.header.type == .request)
            call.cancel()
        }
    }

    @Test func closingTwiceSendsOneFrame() async throws {
        try await withPeer { client, peer in
            let stream = try await client.stream(service: echo, method: "Join")
            stream.closeSend()
            stream.closeSend()
            let error = await #expect(throws: RPCError.self) { try await stream.send([1]) }
            #expect(error == RPCError(.failedPrecondition, "the stream is closed for sending"))
            _ = try await peer.receiveFrame()
            let close = try await peer.receiveFrame()
            #expect(
                close?.header == FrameHeader(length: 0, streamID: 1, type: .data, flags: [.remoteClosed, .noData]))
            client.close()
            #expect(try await peer.receiveFrame() == nil)
        }
    }

    @Test func aCancelledStreamIsOver() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let stream = try await client.stream(service: echo, method: "Chat")
            stream.cancel()
            await #expect(throws: CancellationError.self) { try await stream.next() }
            await #expect(throws: CancellationError.self) { try await stream.send([1]) }
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    @Test func sendingWaitsForAServerThatDoesNotRead() async throws {
        var limits = Limits()
        limits.inboundBytes = 64 << 10
        try await withServer(limits: limits) { server in
            limits.outboundBytes = 64 << 10
            let client = try await server.connect(limits: limits)
            let stream = try await client.stream(service: echo, method: "Deaf")
            let sender = Task {
                var count = 0
                do {
                    while true {
                        try await stream.send([UInt8](repeating: 0, count: 16 << 10))
                        count += 1
                    }
                } catch {
                    return (count, error as? RPCError)
                }
            }
            await server.journal.wait(for: "deaf")
            let witness = try await server.connect()
            for _ in 0..<200 { #expect(try await witness.call("Echo", "x") == "x") }
            client.close()
            let (count, error) = await sender.value
            #expect(count < 100)
            #expect(error?.code == .unavailable)
        }
    }

    @Test func theConnectionClosesWithItsLastHolder() async throws {
        try await withServer { server in
            var client: ClientConnection? = try await server.connect()
            let stream = try await client?.stream(service: echo, method: "Chat")
            client = nil
            // The stream holds it.
            try await stream?.send([1])
            #expect(try await stream?.next() == [1])
            _ = consume stream
            await server.journal.wait(for: "chat cancelled")
        }
    }
}
