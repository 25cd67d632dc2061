// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing

@testable import CLI

@Suite struct UsageFailureTests {
    private func failure(_ words: String...) -> Failure? {
        do {
            _ = try GantryCommand.parseAsRoot(words)
            return nil
        } catch {
            return UsageFailure.failure(
                GantryCommand.fullMessage(for: error), message: GantryCommand.message(for: error))
        }
    }

    @Test func complaintsHaveTheFormOfAllErrors() {
        let failure = failure("run", "--memory", "much", "img", "ls")
        #expect(failure?.exitCode == 64)
        #expect(failure?.message.contains("much") == true)
        #expect(failure?.hint.contains("gantry run [<options>] <image> <command>") == true)
        #expect(failure?.hint.contains("see gantry run --help") == true)
    }

    @Test(arguments: [
        ["ps", "--nope"], ["nope"], ["kill", "--signal", "NOPE", "web"], ["wait"], ["ps", "-o", "xml"],
    ])
    func wrongUsage(words: [String]) {
        let error = #expect(throws: (any Error).self) { try GantryCommand.parseAsRoot(words) }
        #expect(error.map { GantryCommand.exitCode(for: $0).rawValue } == 64)
    }

    @Test(arguments: [["--help"], ["run", "--help"], ["image", "import", "-h"], ["--version"], ["help", "ps"]])
    func helpIsNoError(words: [String]) {
        #expect(throws: Never.self) {
            do {
                var command = try GantryCommand.parseAsRoot(words)
                try command.run()
            } catch  where GantryCommand.exitCode(for: error).isSuccess {
            }
        }
    }

    @Test func everyCommandHasExamples() {
        func check(_ command: any ParsableCommand.Type) {
            let discussion = command.configuration.discussion
            #expect(discussion.contains("Examples:\n  ") && discussion.contains("gantry "), "\(command)")
            // Longer ones are broken where they cannot be copied from.
            let examples = discussion.split(separator: "\n").filter { $0.hasPrefix("  ") }
            #expect(examples.allSatisfy { $0.count < 80 }, "\(command)")
            for command in command.configuration.subcommands { check(command) }
        }
        check(GantryCommand.self)
    }
}
