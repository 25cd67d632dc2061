// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CLI

@Suite struct TableTests {
    @Test func columnsAreAligned() {
        var table = Table([.init("ID"), .init("PID", .right), .init("IMAGE")])
        table.add(["web", "7", "debian:12"])
        table.add(["x", "12345", ""])
        #expect(
            table.rendered() == """
                ID     PID  IMAGE
                web      7  debian:12
                x    12345  -

                """)
    }

    @Test func onlyTitles() {
        #expect(Table([.init("ID"), .init("PID", .right)]).rendered() == "ID  PID\n")
    }

    @Test func cellsCannotBreakTheTable() {
        var table = Table([.init("ID"), .init("X")])
        table.add(["a\nb\u{1b}[1m"])
        #expect(table.rendered() == "ID             X\na\\nb\\u{1b}[1m  -\n")
    }

    @Test func fields() {
        var fields = Fields()
        fields.add("id", "web")
        fields.add("nothing", "")
        fields.add("image", "debian")
        #expect(fields.rendered() == "id:     web\nimage:  debian\n")
    }

    @Test func shortening() {
        #expect(shortened("abcdef", to: 6) == "abcdef")
        #expect(shortened("abcdefg", to: 6) == "abcde…")
        #expect(shortened("abc", to: 0) == "…")
    }
}
