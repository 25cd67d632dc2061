// SPDX-License-Identifier: Apache-2.0
import Glibc
import Reactor
import Synchronization
import Testing

/// The program as it is built, against a daemon that runs nothing: what users see, and the exit codes.
@Suite(.timeLimit(.minutes(1))) struct ProgramTests {
    /// Runs the program against a daemon of its own.
    private func gantry(
        _ arguments: [String], input: String = "", output: Int32? = nil,
        _ during: (FakeDaemon, RunningProgram) async throws -> Void = { _, _ in }
    ) async throws -> RunningProgram.Result {
        let daemon = try FakeDaemon()
        let reactor = try Reactor(name: "test")
        try reactor.start()
        let program = try RunningProgram(arguments + [], input: input, output: output, host: daemon.path)
        let result: RunningProgram.Result
        do {
            try await during(daemon, program)
            result = try await program.finish(on: reactor)
        } catch {
            await daemon.stop()
            reactor.stop()
            throw error
        }
        await daemon.stop()
        reactor.stop()
        reactor.join()
        return result
    }

    @Test func outputGoesWhereItCameFrom() async throws {
        let result = try await gantry(["run", "img", "echo", "out\n", "err\n"])
        #expect(result == .init(code: 0, output: "out\n", error: "err\n"))
    }

    @Test(arguments: [
        (["exit", "0"], 0), (["exit", "3"], 3), (["exit", "255"], 255), (["signal", "15"], 143), (["signal", "9"], 137),
    ] as [([String], Int32)])
    func exitsAsTheCommandDoes(words: [String], code: Int32) async throws {
        #expect(try await gantry(["run", "img"] + words) == .init(code: code, output: "", error: ""))
    }

    @Test(arguments: [
        ("missing", 127, "error: no such command\n"), ("denied", 126, "error: not executable\n"),
        ("broken", 125, "error: no mount\n  step:  mount\n"),
        ("refused", 125, "error: cannot start web: EINVAL\n  step:  provisioning\n  hint:  squash it\n"),
    ] as [(String, Int32, String)])
    func commandsThatNeverStart(word: String, code: Int32, error: String) async throws {
        let result = try await gantry(["run", "--name", "web", "img", word])
        #expect(result == .init(code: code, output: "", error: error))
    }

    @Test func aMemoryLimitIsTold() async throws {
        let result = try await gantry(["run", "--name", "web", "--memory", "32m", "img", "oom"])
        #expect(result.code == 137)
        #expect(result.error.hasPrefix("error: web ran out of memory: limit 32 MiB, peak 32 MiB\n  step:  "))
        #expect(result.error.split(separator: "\n").count == 3)
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT])
    func signalsReachTheCommand(signal: Int32) async throws {
        let result = try await gantry(["run", "--name", "web", "img", "hang"]) { daemon, program in
            try await daemon.running("web")
            kill(program.pid, signal)
        }
        #expect(result == .init(code: 128 + signal, output: "up\n", error: ""))
    }

    @Test func theSecondInterruptDestroys() async throws {
        let result = try await gantry(["run", "--name", "web", "img", "stubborn"]) { daemon, program in
            try await daemon.running("web")
            kill(program.pid, SIGINT)
            await daemon.firstSignal()
            kill(program.pid, SIGINT)
        }
        #expect(result == .init(code: 137, output: "up\n", error: ""))
    }

    @Test func aReaderWhoLeavesDoesNotEndTheContainer() async throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let result = try await gantry(["run", "img", "echo", "out\n", "err\n"], output: ends[1])
        #expect(result == .init(code: 0, output: "", error: "err\n"))
    }

    @Test func aTableWithoutAReader() async throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        #expect(try await gantry(["ps"], output: ends[1]) == .init(code: 141, output: "", error: ""))
    }

    @Test func detached() async throws {
        let result = try await gantry(["run", "--detach", "--name", "web", "img", "hang"]) { daemon, _ in
            try await daemon.running("web")
        }
        #expect(result == .init(code: 0, output: "web\n", error: ""))
    }

    @Test func theNameIsTaken() async throws {
        let result = try await gantry(["run", "--name", "web", "img", "hang"]) { daemon, program in
            try await daemon.running("web")
            let second = try RunningProgram(["run", "--name", "web", "img", "exit", "0"], host: daemon.path)
            let reactor = try Reactor(name: "test")
            try reactor.start()
            let result = try await second.finish(on: reactor)
            reactor.stop()
            #expect(result.code == 125)
            #expect(result.error.hasPrefix("error: there is a container web already\n  hint:  "))
            kill(program.pid, SIGTERM)
        }
        // The first one went on.
        #expect(result.code == 143)
    }
}
