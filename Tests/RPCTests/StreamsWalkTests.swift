// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

/// Long random walks through both state machines, each step compared with what the rules of ttrpc say in the plainest
/// words.
@Suite struct StreamsWalkTests {
    /// The rules again, as a set of facts about each stream.
    private struct Rules {
        enum Input { case single, open, closed }

        var active: [UInt32: Input] = [:]
        var last: UInt32 = 0

        mutating func expect(_ header: FrameHeader) -> String {
            let (id, closes, carries) = (
                header.streamID, header.flags.rawValue & 1 != 0, header.flags.rawValue & 4 == 0
            )
            if id % 2 == 0 { return "reject" }
            switch header.type.rawValue {
            case 1:
                if id <= last { return "reject" }
                last = id
                return "request"
            case 3:
                guard let input = active[id] else { return "reject" }
                if closes && header.length > 0 || carries && input != .open {
                    // A bare close of what is closed is the only thing that may come twice.
                    if closes, header.length == 0, !carries { return "ignore" }
                    active[id] = nil
                    return "fail"
                }
                guard input == .open, carries || closes else { return "ignore" }
                if closes { active[id] = .closed }
                return carries ? (closes ? "last" : "message") : "half-close"
            case 0xc0: return active.removeValue(forKey: id) == nil ? "ignore" : "cancel"
            default: return "ignore"
            }
        }
    }

    private func word(_ verdict: ServerStreams<UInt32>.Verdict, _ id: UInt32) -> String {
        switch verdict {
        case .ignore: "ignore"
        case .reject: "reject"
        case .request: "request"
        case .message(let call): call == id ? "message" : "wrong call"
        case .lastMessage(let call): call == id ? "last" : "wrong call"
        case .halfClose(let call): call == id ? "half-close" : "wrong call"
        case .cancel(let call): call == id ? "cancel" : "wrong call"
        case .fail(let call, _): call == id ? "fail" : "wrong call"
        }
    }

    @Test func theServersMachineFollowsTheRules() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            var (machine, rules) = (ServerStreams<UInt32>(), Rules())
            for _ in 0..<5_000 {
                let near = Int64(rules.last) + Int64.random(in: -12...6, using: &generator)
                let id = UInt32(clamping: Int.random(in: 0..<50, using: &generator) == 0 ? 0 : Int(near))
                let type = [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 0xc0, 0x77].randomElement(using: &generator) ?? 1
                let flags = [0, 0, 0, 1, 4, 5, 5, 7, 0xf8].randomElement(using: &generator) ?? 0
                let length = Bool.random(using: &generator) ? 0 : 5
                let header = FrameHeader(
                    length: length, streamID: id, type: FrameType(rawValue: UInt8(type)),
                    flags: FrameFlags(rawValue: UInt8(flags)))
                let expected = rules.expect(header)
                let verdict = word(machine.receive(header), id)
                try #require(verdict == expected, "\(header) after \(rules)")
                if verdict == "request", Int.random(in: 0..<4, using: &generator) > 0 {
                    let inputs: [(ServerStreams<UInt32>.Input, Rules.Input)] = [
                        (.single, .single), (.open, .open), (.open, .open), (.closed, .closed),
                    ]
                    let (input, rule) = inputs[Int.random(in: 0..<4, using: &generator)]
                    machine.open(id, input, id)
                    rules.active[id] = rule
                }
                if Int.random(in: 0..<8, using: &generator) == 0 {
                    // The server ends one, or believes that it does.
                    #expect((machine.finish(id) == nil) == (rules.active.removeValue(forKey: id) == nil))
                }
                #expect(machine.count == rules.active.count)
            }
            #expect(Set(machine.removeAll()) == Set(rules.active.keys))
        }
    }

    /// The client's machine never lets anything be sent on a stream that is not open for it, and no stream outlives its
    /// end.
    @Test func theClientsMachineKeepsItsPromises() throws {
        var generator = SystemRandomNumberGenerator()
        var machine = ClientStreams<UInt32>()
        var states: [UInt32: String] = [:]
        for _ in 0..<50_000 {
            let id = UInt32(Int.random(in: 0..<80, using: &generator))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0:
                let outputs: [ClientStreams<UInt32>.Output] = [.unary, .open, .closed]
                let kind = Int.random(in: 0..<3, using: &generator)
                guard states.count < 40, let new = machine.open(outputs[kind], id) else { break }
                states[new] = ["unary", "open", "closed"][kind]
            case 1:
                let closed = machine.closeOutput(id)
                #expect(closed == (states[id] == "open"))
                if closed { states[id] = "closed" }
            case 2: #expect((machine.abandon(id) == nil) == (states.removeValue(forKey: id) == nil))
            default:
                let flags: UInt8 = [0, 1, 4, 5].randomElement(using: &generator) ?? 0
                let type: UInt8 = [2, 3, 3, 3, 0x77].randomElement(using: &generator) ?? 3
                let header = FrameHeader(
                    length: 1, streamID: id, type: FrameType(rawValue: type), flags: FrameFlags(rawValue: flags))
                let isOver: Bool
                switch machine.receive(header) {
                case .ignore, .message: isOver = false
                case .response, .lastMessage, .end, .fail: isOver = true
                }
                if isOver { try #require(states.removeValue(forKey: id) != nil, "\(header)") }
            }
            #expect(machine.maySend(id) == (states[id] == "open"))
            #expect(machine.isActive(id) == (states[id] != nil))
        }
    }
}
