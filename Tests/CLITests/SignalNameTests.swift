// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import CLI

@Suite struct SignalNameTests {
    @Test(arguments: [
        ("TERM", SIGTERM), ("SIGTERM", SIGTERM), ("sigterm", SIGTERM), ("15", 15), ("KILL", SIGKILL), ("9", 9),
        ("hup", SIGHUP), ("USR1", SIGUSR1), ("STKFLT", SIGSTKFLT), ("POLL", SIGIO), ("CLD", SIGCHLD), ("SYS", SIGSYS),
        ("RTMIN", 34), ("SIGRTMIN+3", 37), ("RTMAX", 64), ("RTMAX-1", 63), ("64", 64),
    ])
    func numbers(text: String, number: Int32) {
        #expect(SignalName(argument: text)?.number == number)
    }

    @Test(arguments: ["", "0", "-1", "65", "TERMINATE", "SIG", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMIN+", "15 "])
    func noSignal(text: String) {
        #expect(SignalName(argument: text) == nil)
    }

    @Test func names() {
        #expect(SignalName(number: SIGTERM).description == "SIGTERM")
        #expect(SignalName(number: 40).description == "signal 40")
        #expect(SignalName(number: 0).description == "signal 0")
        #expect(SignalName(number: -5).description == "signal -5")
    }
}
