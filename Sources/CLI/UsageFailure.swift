// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// What the argument parser throws: requests for help, and command lines that it does not understand.
enum UsageFailure {
    /// Is this one of the parser's errors? Its own type is not public, but only such errors have another exit code
    /// than 1.
    static func concerns(_ error: any Error) -> Bool {
        error is ValidationError || error is CleanExit || GantryCommand.exitCode(for: error) != .failure
    }

    /// Prints help on standard output, and complaints in the form that all errors have.
    static func report(_ error: any Error) -> Int32 {
        let text = GantryCommand.fullMessage(for: error)
        if GantryCommand.exitCode(for: error).isSuccess {
            try? Output.standard.line(text)
            return ExitStatus.success
        }
        Output.standardError.report(failure(text, message: GantryCommand.message(for: error)))
        return ExitStatus.usage
    }

    /// `text` is the parser's page: the message, then `Usage: ...`, then `See 'gantry run --help' for more`.
    static func failure(_ text: String, message: String) -> Failure {
        var hint: [String] = []
        for line in text.split(separator: "\n") {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("Usage: ") { hint.append(String(line.dropFirst("Usage: ".count))) }
            if line.hasPrefix("See '"), let end = line.dropFirst("See '".count).firstIndex(of: "'") {
                hint.append("see " + line[line.index(line.startIndex, offsetBy: "See '".count)..<end])
            }
        }
        var message = message.prefix(1).lowercased() + message.dropFirst()
        if hint.first?.hasSuffix(" <subcommand>") == true {
            message = message.replacing(prefix: "unexpected argument", with: "there is no command")
        }
        return Failure(message, hint: hint.joined(separator: "; "), exitCode: ExitStatus.usage)
    }
}

extension String {
    fileprivate func replacing(prefix: String, with replacement: String) -> String {
        hasPrefix(prefix) ? replacement + dropFirst(prefix.count) : self
    }
}
