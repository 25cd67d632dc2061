// SPDX-License-Identifier: Apache-2.0

/// An error as users see it: three lines at most, and an exit code.
struct Failure: Error, Equatable {
    var message: String
    /// Where it happened. May be empty.
    var step: String
    /// What the user can do about it. May be empty.
    var hint: String
    var exitCode: Int32

    init(_ message: String, step: String = "", hint: String = "", exitCode: Int32 = ExitStatus.failed) {
        self.message = message
        self.step = step
        self.hint = hint
        self.exitCode = exitCode
    }

    /// One line for each part that says something, each ended by a newline. Text of others may hold newlines and
    /// escape sequences; they are shown, not obeyed.
    var lines: String {
        var text = "error: \(singleLine(message))\n"
        if !step.isEmpty { text += "  step:  \(singleLine(step))\n" }
        if !hint.isEmpty { text += "  hint:  \(singleLine(hint))\n" }
        return text
    }
}
