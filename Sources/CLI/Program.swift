// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc

/// The command line as a function: arguments in, exit code out.
public enum Program {
    /// Runs one command as this process, and ends the process with its exit code.
    ///
    /// The main thread only waits: Swift's own asynchronous `main` would hand it to the dispatch library, which starts
    /// more than most of our commands need.
    public static func main(_ arguments: [String]) -> Never {
        let command: any ParsableCommand
        do {
            command = try parse(arguments)
        } catch {
            exit(report(error))
        }
        guard let command = command as? any AsyncParsableCommand else { exit(run(command)) }
        Task { exit(await run(command)) }
        while true { pause() }
    }

    /// Runs one command. `arguments` begin with the program's name. What the command prints is written when this
    /// returns.
    public static func run(_ arguments: [String]) async -> Int32 {
        do {
            let command = try parse(arguments)
            guard let command = command as? any AsyncParsableCommand else { return run(command) }
            return await run(command)
        } catch {
            return report(error)
        }
    }

    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        // A reader who leaves early is an error of `write`, not the end of this process: a foreground container must
        // still be waited for.
        signal(SIGPIPE, SIG_IGN)
        return try GantryCommand.parseAsRoot(Array(arguments.dropFirst()))
    }

    private static func run(_ command: any ParsableCommand) -> Int32 {
        var command = command
        do {
            try command.run()
            return ExitStatus.success
        } catch {
            return report(error)
        }
    }

    private static func run(_ command: any AsyncParsableCommand) async -> Int32 {
        var command = command
        do {
            try await command.run()
            return ExitStatus.success
        } catch {
            return report(error)
        }
    }

    /// Tells the user, and picks the exit code.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let code as ExitCode:
            return code.rawValue
        case is ReaderGone:
            return ExitStatus.signal(SIGPIPE)
        case let error where UsageFailure.concerns(error):
            return UsageFailure.report(error)
        default:
            let failure = Failure(describing: error)
            Output.standardError.report(failure)
            return failure.exitCode
        }
    }
}
