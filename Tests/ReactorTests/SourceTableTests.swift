// SPDX-License-Identifier: Apache-2.0
import Kernel
import Testing

@testable import Reactor

@Suite struct SourceTableTests {
    private final class Source: EventSource {
        func ready(_ events: EpollEvents) {}
        func reactorStops() {}
    }

    @Test func anOldTokenDoesNotReachTheSlotsNextUser() {
        var table = SourceTable()
        let (first, second) = (Source(), Source())
        let old = table.insert(first)
        #expect(table[old] === first)
        table.remove(old)
        #expect(table[old] == nil)
        let new = table.insert(second)
        #expect(new != old)
        table.remove(old)
        #expect(table[new] === second)
        #expect(table.count == 1)
    }

    @Test func aTokenThatWasNeverGivenNamesNothing() {
        var table = SourceTable()
        #expect(table[SourceToken(rawValue: .max)] == nil)
        table.remove(SourceToken(rawValue: 77))
        #expect(table.count == 0)
    }
}
