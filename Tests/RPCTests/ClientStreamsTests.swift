// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

private func describe(_ verdict: ClientStreams<String>.Verdict) -> String {
    switch verdict {
    case .ignore: "ignore"
    case .response(let call): "response \(call)"
    case .message(let call): "message \(call)"
    case .lastMessage(let call): "last message \(call)"
    case .end(let call): "end \(call)"
    case .fail(let call, let error): "fail \(call) \(error.code)"
    }
}

private func header(_ id: UInt32, _ type: UInt8, _ flags: UInt8 = 0, _ length: Int = 0) -> FrameHeader {
    FrameHeader(length: length, streamID: id, type: FrameType(rawValue: type), flags: FrameFlags(rawValue: flags))
}

@Suite struct ClientStreamsTests {
    /// Stream 1 is unary, 3 open, 5 closed for sending, 7 given up.
    private func machine() -> ClientStreams<String> {
        var streams = ClientStreams<String>()
        for output in [.unary, .open, .closed, .open] as [ClientStreams<String>.Output] {
            _ = streams.open(output, "call \(streams.count * 2 + 1)")
        }
        streams.abandon(7)
        return streams
    }

    @Test(arguments: [
        (header(1, 2), "response call 1"), (header(3, 2, 0xff), "response call 3"), (header(5, 2), "response call 5"),
        (header(1, 3), "fail call 1 INTERNAL"), (header(1, 3, 5), "fail call 1 INTERNAL"),
        (header(3, 3), "message call 3"), (header(3, 3, 1), "last message call 3"), (header(3, 3, 5), "end call 3"),
        (header(3, 3, 4), "ignore"), (header(5, 3, 0, 9), "message call 5"), (header(5, 3, 5), "end call 5"),
        (header(7, 2), "ignore"), (header(7, 3), "ignore"), (header(9, 2), "ignore"), (header(2, 2), "ignore"),
        (header(1, 1), "ignore"), (header(3, 0x77), "ignore"),
    ])
    func everyFrameInEveryState(_ frame: FrameHeader, _ expected: String) {
        var streams = machine()
        #expect(describe(streams.receive(frame)) == expected)
    }

    @Test(arguments: [(2, 0), (3, 1), (3, 5)] as [(UInt8, UInt8)])
    func aStreamThatHasEndedIsForgottenAndNothingMayBeSent(_ type: UInt8, _ flags: UInt8) {
        var streams = machine()
        #expect(streams.maySend(3))
        _ = streams.receive(header(3, type, flags))
        #expect(!streams.maySend(3))
        let mayClose = streams.closeOutput(3)
        #expect(!mayClose)
        #expect(describe(streams.receive(header(3, type, flags))) == "ignore")
    }

    @Test func onlyOpenStreamsMaySend() {
        var streams = machine()
        #expect([1, 3, 5, 7, 9].map { streams.maySend($0) } == [false, true, false, false, false])
        let closed = [streams.closeOutput(3), streams.closeOutput(3)]
        #expect(closed == [true, false])
        #expect(!streams.maySend(3))
    }

    @Test func idsAreOddAndEnd() {
        var streams = ClientStreams<String>(nextID: .max - 2)
        let last = (0..<3).map { _ in streams.open(.unary, "") }
        #expect(last == [UInt32.max - 2, UInt32.max, nil])
        var fresh = ClientStreams<String>()
        let first = (0..<3).map { _ in fresh.open(.unary, "") }
        #expect(first == [1, 3, 5])
    }

    @Test func anOversizedFrameFailsItsCall() {
        var streams = machine()
        #expect(describe(streams.receiveOversized(header(1, 2, 0, 5 << 20))) == "fail call 1 RESOURCE_EXHAUSTED")
        #expect(describe(streams.receiveOversized(header(1, 2, 0, 5 << 20))) == "ignore")
    }

    @Test func theEndOfTheConnectionHandsOutTheCallsAndOpensNoMore() {
        var streams = machine()
        #expect(Set(streams.removeAll()) == ["call 1", "call 3", "call 5"])
        #expect(streams.open(.unary, "late") == nil)
    }
}
