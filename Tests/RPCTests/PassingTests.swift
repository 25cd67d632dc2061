// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

/// Descriptors that travel with calls.
@Suite struct PassingTests {
    private var limits: Limits {
        var limits = Limits()
        limits.descriptors = 16
        return limits
    }

    private struct Pipe: ~Copyable {
        let reading: Descriptor
        let writing: Descriptor

        init() throws {
            var ends: [Int32] = [-1, -1]
            if pipe(&ends) != 0 { throw Refused(offset: -6) }
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            reading = Descriptor(owning: ends[0])
            writing = Descriptor(owning: ends[1])
        }
    }

    private func pass(
        _ client: ClientConnection, _ numbers: [Int32], _ method: String = "Pass"
    ) async throws -> (String, PassedDescriptors) {
        let answer = try await client.unary(service: echo, method: method, payload: [], passing: numbers)
        return (String(decoding: answer.payload, as: UTF8.self), answer.descriptors)
    }

    @Test(arguments: ["Pass", "PassLater"]) func theyComeBack(_ method: String) async throws {
        try await withServer(limits: limits) { server in
            let client = try await server.connect(limits: limits)
            let pipe = try Pipe()
            for count in [1, 15, 0] {
                let numbers = [Int32](repeating: pipe.writing.raw, count: count)
                let (text, passed) = try await pass(client, numbers, method)
                #expect(text == "\(count)")
                let returned = passed.take().map { Descriptor(owning: $0).release() }
                #expect(returned.count == count && Set(returned).isDisjoint(with: numbers))
                for (index, number) in returned.enumerated() {
                    var byte = UInt8(index)
                    #expect(write(number, &byte, 1) == 1)
                    var read: UInt8 = 0xff
                    #expect(Glibc.read(pipe.reading.raw, &read, 1) == 1 && read == byte)
                    close(number)
                }
            }
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    /// Other calls before, between and after, in one write: each frame gets its own.
    @Test func theyStayWithTheirCalls() async throws {
        try await withServer(limits: limits) { server in
            let client = try await server.connect(limits: limits)
            let pipe = try Pipe()
            let raw = pipe.writing.raw
            try await withThrowingTaskGroup { group in
                for count in 0..<40 {
                    group.addTask {
                        let numbers = [Int32](repeating: raw, count: count % 4)
                        let large = try await client.call("Large", "50000")
                        #expect(large.value.count == 50_000)
                        let (text, passed) = try await self.pass(client, numbers)
                        #expect(text == "\(count % 4)" && passed.count == count % 4)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func nobodyTakesWhatWasNotAgreed() async throws {
        // A server that takes none: they are closed by the kernel, and the call goes on.
        try await withServer { server in
            let client = try await server.connect(limits: limits)
            let pipe = try Pipe()
            let (text, passed) = try await pass(client, [pipe.writing.raw])
            #expect(text == "not asked" && passed.count == 0)
        }
        // A caller that does not ask gets none.
        try await withServer(limits: limits) { server in
            let client = try await server.connect(limits: limits)
            #expect(try await client.call("Pass", "") == "not asked")
        }
        // More than a frame can tell.
        try await withServer(limits: limits) { server in
            let client = try await server.connect(limits: limits)
            let pipe = try Pipe()
            let numbers = [Int32](repeating: pipe.writing.raw, count: 16)
            let error = await #expect(throws: RPCError.self) { _ = try await pass(client, numbers) }
            #expect(error?.code == .resourceExhausted)
        }
    }

    @Test func nothingIsLeftOpen() async throws {
        let pipe = try Pipe()
        let raw = pipe.writing.raw
        try await withServer(limits: limits) { server in
            // Into a call that is refused, one that fails, one that is cancelled, and one whose answer nobody takes.
            let client = try await server.connect(limits: limits)
            for method in ["Nothing", "Fail", "Pass"] { _ = try? await pass(client, [raw, raw], method) }
            let stuck = Task { try await pass(client, [raw], "Stuck") }
            await server.journal.wait(for: "stuck")
            stuck.cancel()
            await server.journal.wait(for: "cancelled")
        }
        close(fcntl(raw, F_DUPFD, 3))
        let reading = try Descriptor(duplicating: pipe.reading.raw)
        closeBoth(pipe)
        // A program that another test starts at this moment has everything until it is executed.
        var ready = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
        #expect(poll(&ready, 1, 10_000) == 1, "somebody still has the writing end")
        var byte: UInt8 = 0
        #expect(read(reading.raw, &byte, 1) == 0)
    }

    private func closeBoth(_ pipe: consuming Pipe) {}

    @Test func announcementsThatAreNotTrueEndTheConnection() async throws {
        try await withServer(limits: limits) { server in
            let liar = try RawPeer(server)
            try await liar.send(request(1, "Pass", flags: 0x30))
            #expect(try await liar.receiveResponse() == "closed")
            let hoarder = try RawPeer(server)
            let pipe = try Pipe()
            let many = [Int32](repeating: pipe.writing.raw, count: 60)
            let frames = frame(2, 0x77)
            let sent = try frames.withUnsafeBytes {
                try UnixSocket.send(hoarder.descriptor.raw, $0, passing: many)
            }
            #expect(sent == .bytes(frames.count))
            #expect(try await hoarder.receiveResponse() == "closed")
            #expect(try await server.connect().call("Echo", "x") == "x")
        }
    }
}
