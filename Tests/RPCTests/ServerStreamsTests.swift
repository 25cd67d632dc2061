// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

/// The outcome of an event in comparable form: what happens, to which call, with which code.
private func describe(_ verdict: ServerStreams<String>.Verdict) -> String {
    switch verdict {
    case .ignore: "ignore"
    case .reject(let error): "reject \(error.code)"
    case .request: "request"
    case .message(let call): "message \(call)"
    case .lastMessage(let call): "last message \(call)"
    case .halfClose(let call): "half-close \(call)"
    case .cancel(let call): "cancel \(call)"
    case .fail(let call, let error): "fail \(call) \(error.code)"
    }
}

private func header(_ id: UInt32, _ type: UInt8, _ flags: UInt8 = 0, _ length: Int = 0) -> FrameHeader {
    FrameHeader(length: length, streamID: id, type: FrameType(rawValue: type), flags: FrameFlags(rawValue: flags))
}

@Suite struct ServerStreamsTests {
    /// Stream 1 has a single message, 3 is open, 5 has been closed by the client, 7 has ended.
    private func machine() -> ServerStreams<String> {
        var streams = ServerStreams<String>()
        for (id, input) in [(1, .single), (3, .open), (5, .closed), (7, .open)]
            as [(UInt32, ServerStreams<String>.Input)]
        {
            _ = streams.receive(header(id, 1))
            streams.open(id, input, "call \(id)")
        }
        _ = streams.finish(7)
        return streams
    }

    private static let invalid = "INVALID_ARGUMENT"

    @Test(arguments: [
        // Requests.
        (header(9, 1), "request"), (header(9, 1, 2), "request"), (header(4_294_967_295, 1), "request"),
        (header(8, 1), "reject \(invalid)"), (header(0, 1), "reject \(invalid)"),
        (header(7, 1), "reject \(invalid)"), (header(3, 1), "reject \(invalid)"), (header(1, 1), "reject \(invalid)"),
        // Responses and unknown types mean nothing, but the parity of the id comes first.
        (header(3, 2), "ignore"), (header(9, 0x77), "ignore"), (header(3, 0), "ignore"),
        (header(2, 2), "reject \(invalid)"), (header(2, 0x77), "reject \(invalid)"),
        // Data on a single-message stream: a bare close does no harm.
        (header(1, 3, 0, 5), "fail call 1 \(invalid)"), (header(1, 3), "fail call 1 \(invalid)"),
        (header(1, 3, 5), "ignore"), (header(1, 3, 4), "ignore"),
        // Data on an open stream; an empty message is a message.
        (header(3, 3, 0, 5), "message call 3"), (header(3, 3), "message call 3"),
        (header(3, 3, 5), "half-close call 3"), (header(3, 3, 1), "last message call 3"),
        (header(3, 3, 4), "ignore"), (header(3, 3, 4, 5), "ignore"),
        (header(3, 3, 1, 5), "fail call 3 \(invalid)"), (header(3, 3, 5, 5), "fail call 3 \(invalid)"),
        // On a stream that the client has closed.
        (header(5, 3, 0, 5), "fail call 5 \(invalid)"), (header(5, 3, 1), "fail call 5 \(invalid)"),
        (header(5, 3, 5), "ignore"),
        // On streams that have ended or never were.
        (header(7, 3, 0, 5), "reject \(invalid)"), (header(7, 3, 5), "reject \(invalid)"),
        (header(99, 3), "reject \(invalid)"), (header(4, 3), "reject \(invalid)"),
    ])
    func everyFrameInEveryState(_ frame: FrameHeader, _ expected: String) {
        var streams = machine()
        #expect(describe(streams.receive(frame)) == expected)
    }

    @Test(arguments: [(1, "cancel call 1"), (3, "cancel call 3"), (5, "cancel call 5"), (7, "ignore"), (99, "ignore")])
    func aCancelEndsWhateverGoesOn(_ id: UInt32, _ expected: String) {
        var streams = machine()
        #expect(describe(streams.receive(header(id, 0xc0, 0xff, 3))) == expected)
        #expect(!streams.isActive(id))
        #expect(describe(streams.receive(header(id, 0xc0))) == "ignore")
        #expect(describe(streams.receive(header(4, 0xc0))) == "reject \(Self.invalid)")
    }

    @Test func aStreamThatFailedIsOver() {
        var streams = machine()
        _ = streams.receive(header(3, 3, 1, 5))
        #expect(!streams.isActive(3))
        #expect(streams.finish(3) == nil)
        #expect(describe(streams.receive(header(3, 3))) == "reject \(Self.invalid)")
    }

    @Test func aClosedInputStaysClosed() {
        var streams = machine()
        _ = streams.receive(header(3, 3, 5))
        #expect(describe(streams.receive(header(3, 3, 0, 1))) == "fail call 3 \(Self.invalid)")
    }

    @Test func anIDIsUsedEvenIfItsRequestIsNotOpened() {
        var streams = ServerStreams<String>()
        #expect(describe(streams.receive(header(5, 1))) == "request")
        #expect(describe(streams.receive(header(5, 1))) == "reject \(Self.invalid)")
        #expect(describe(streams.receive(header(3, 1))) == "reject \(Self.invalid)")
        #expect(streams.lastID == 5)
    }

    @Test func anOversizedFrameEndsItsStreamIfThereIsOne() {
        var streams = machine()
        #expect(describe(streams.receiveOversized(header(9, 1, 0, 5 << 20))) == "reject RESOURCE_EXHAUSTED")
        #expect(describe(streams.receiveOversized(header(2, 1, 0, 5 << 20))) == "reject RESOURCE_EXHAUSTED")
        #expect(describe(streams.receiveOversized(header(3, 3, 0, 5 << 20))) == "fail call 3 RESOURCE_EXHAUSTED")
        #expect(!streams.isActive(3))
        // Nothing of it was taken: the id may still be used.
        #expect(describe(streams.receive(header(9, 1))) == "request")
    }

    @Test func theEndOfTheConnectionHandsOutTheCallsThatAreLeft() {
        var streams = machine()
        #expect(streams.count == 3)
        #expect(Set(streams.removeAll()) == ["call 1", "call 3", "call 5"])
        #expect(streams.isEmpty)
        #expect(streams.finish(1) == nil)
    }
}
