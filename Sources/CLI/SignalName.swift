// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// A signal as users write it: `TERM`, `SIGTERM`, `term` or `15`.
struct SignalName: Equatable, ExpressibleByArgument, CustomStringConvertible {
    /// The number on Linux, 1 to 64.
    var number: Int32

    init(number: Int32) {
        self.number = number
    }

    init?(argument: String) {
        if let number = Int32(argument) {
            guard (1...64).contains(number) else { return nil }
            self.number = number
            return
        }
        var name = argument.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let index = SignalName.names.firstIndex(of: name) {
            number = Int32(index + 1)
        } else if let alias = SignalName.aliases[name] {
            number = alias
        } else if let number = SignalName.realTime(name) {
            self.number = number
        } else {
            return nil
        }
    }

    /// `SIGTERM`; `signal 40` for those without a name.
    var description: String {
        let index = Int(number) - 1
        return SignalName.names.indices.contains(index) ? "SIG" + SignalName.names[index] : "signal \(number)"
    }

    /// Number 1 first; the same on x86-64 and arm64 (signal(7)).
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    private static let aliases: [String: Int32] = ["IOT": 6, "CLD": 17, "POLL": 29]

    /// `RTMIN`, `RTMIN+3`, `RTMAX-1`. glibc keeps 32 and 33 to itself, so RTMIN is 34 for every program in a container.
    private static func realTime(_ name: String) -> Int32? {
        let base: Int32
        if name.hasPrefix("RTMIN") {
            base = 34
        } else if name.hasPrefix("RTMAX") {
            base = 64
        } else {
            return nil
        }
        let rest = name.dropFirst(5)
        if rest.isEmpty { return base }
        guard let sign = rest.first, sign == (base == 34 ? "+" : "-"), let offset = Int32(rest.dropFirst()) else {
            return nil
        }
        return (0...30).contains(offset) ? base + (sign == "+" ? offset : -offset) : nil
    }
}
