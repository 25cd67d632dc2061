// SPDX-License-Identifier: Apache-2.0

/// What the program's exit code says. Codes below 125 are the container's own; 64 to 77 are those of sysexits.h.
enum ExitStatus {
    static let success: Int32 = 0
    static let usage: Int32 = 64
    /// Bytes that are no message of the type.
    static let data: Int32 = 65
    static let notReachable: Int32 = 69
    static let tryAgain: Int32 = 75
    static let notPermitted: Int32 = 77
    /// Gantry failed, not the command.
    static let failed: Int32 = 125
    static let notExecutable: Int32 = 126
    static let notFound: Int32 = 127

    /// As a shell tells the death of a program by a signal.
    static func signal(_ number: Int32) -> Int32 {
        128 + number
    }

    /// The code for a status as wait(2) gives it.
    static func code(forWaitStatus status: Int32) -> Int32 {
        let number = status & 0x7f
        return number == 0 ? (status >> 8) & 0xff : signal(number)
    }
}
