// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// The program as it is built, against a daemon that runs nothing: what users see, and the exit codes.
@Suite(.timeLimit(.minutes(1))) struct ProgramTests {
    /// Runs the program against a daemon of its own.
    private func gantry(
        _ arguments: [String], input: String = "", output: Int32? = nil,
        _ during: (FakeDaemon, RunningProgram) async throws -> Void = { _, _ in }
    ) async throws -> RunningProgram.Result {
        let daemon = try FakeDaemon()
        let program = try RunningProgram(arguments, host: daemon.path, input: input, output: output)
        let result: RunningProgram.Result
        do {
            try await during(daemon, program)
            result = try await program.finish(on: daemon.reactor)
        } catch {
            await daemon.stop()
            throw error
        }
        await daemon.stop()
        return result
    }

    @Test func outputGoesWhereItCameFrom() async throws {
        let result = try await gantry(["run", "img", "echo", "out\n", "err\n"])
        #expect(result == .init(code: 0, output: "out\n", error: "err\n"))
    }

    @Test(
        arguments: [
            (["exit", "0"], 0), (["exit", "3"], 3), (["exit", "255"], 255), (["signal", "15"], 143),
            (["signal", "9"], 137),
        ] as [([String], Int32)])
    func exitsAsTheCommandDoes(words: [String], code: Int32) async throws {
        #expect(try await gantry(["run", "img"] + words) == .init(code: code, output: "", error: ""))
    }

    @Test(
        arguments: [
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
            await daemon.attached(to: "web")
            kill(program.pid, signal)
        }
        #expect(result == .init(code: 128 + signal, output: "up\n", error: ""))
    }

    @Test func theSecondInterruptDestroys() async throws {
        let result = try await gantry(["run", "--name", "web", "img", "stubborn"]) { daemon, program in
            await daemon.attached(to: "web")
            kill(program.pid, SIGINT)
            await daemon.firstSignal()
            kill(program.pid, SIGINT)
        }
        #expect(result == .init(code: 137, output: "up\n", error: ""))
    }

    /// A pipe that nobody reads, as standard output for the body.
    private func withoutReader(_ body: (Int32) async throws -> Void) async throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        try await body(ends[1])
    }

    @Test func aReaderWhoLeavesDoesNotEndTheContainer() async throws {
        try await withoutReader { pipe in
            let result = try await gantry(["run", "img", "echo", "out\n", "err\n"], output: pipe)
            #expect(result == .init(code: 0, output: "", error: "err\n"))
        }
    }

    @Test func theCommandGetsTheSignalOfABrokenPipe() async throws {
        try await withoutReader { pipe in
            let result = try await gantry(["run", "img", "yes"], output: pipe)
            #expect(result == .init(code: 141, output: "", error: ""))
        }
    }

    @Test func aTableWithoutAReader() async throws {
        try await withoutReader { pipe in
            let result = try await gantry(["ps"], output: pipe)
            #expect(result == .init(code: 141, output: "", error: ""))
        }
    }

    @Test func detached() async throws {
        let result = try await gantry(["run", "--detach", "--name", "web", "img", "hang"])
        #expect(result == .init(code: 0, output: "web\n", error: ""))
    }

    @Test func theNameIsTaken() async throws {
        let result = try await gantry(["run", "--name", "web", "img", "hang"]) { daemon, program in
            await daemon.attached(to: "web")
            let second = try RunningProgram(["run", "--name", "web", "img", "exit", "0"], host: daemon.path)
            let result = try await second.finish(on: daemon.reactor)
            #expect(result.code == 125)
            #expect(result.error.hasPrefix("error: there is a container web already\n  hint:  "))
            kill(program.pid, SIGTERM)
        }
        // The first one went on.
        #expect(result.code == 143)
    }

    @Test func commandsOnAContainer() async throws {
        let result = try await gantry(["run", "--name", "web", "img", "hang"]) { daemon, _ in
            func run(_ arguments: String...) async throws -> RunningProgram.Result {
                try await RunningProgram(arguments, host: daemon.path).finish(on: daemon.reactor)
            }
            await daemon.attached(to: "web")
            #expect(try await run("ps", "--quiet").output == "web\n")
            #expect(
                try await run("ps").output.hasPrefix("ID   STATE    PID  IMAGE  COMMAND  AGE\nweb  RUNNING   42  img"))
            #expect(try await run("ps", "-o", "json").output.hasPrefix("[\n{\"container_id\":{\"value\":\"web\"}"))
            #expect(try await run("inspect", "web").output.contains("state:    RUNNING\n"))
            #expect(try await run("usage", "web").output.contains("1.00s"))
            let other = try await run("usage", "nope", "web")
            #expect(other.code == 125 && other.error.hasPrefix("error: there is no container nope"))
            #expect(other.output.contains("1.00s"))
            #expect(try await run("kill", "--signal", "USR1", "nope").code == 125)
            #expect(try await run("wait", "nope").code == 125)
            #expect(try await run("destroy", "nope").error.hasPrefix("error: there is no container nope\n  hint:  "))
            let ended = try await run("destroy", "web")
            #expect(ended == .init(code: 0, output: "web ended by SIGKILL\n", error: ""))
        }
        #expect(result.code == 137)
    }

    @Test func images() async throws {
        let result = try await gantry(["image", "import", "dir/x.tar", "debian:12"])
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("debian:12 /") && result.output.hasSuffix("/dir/x.tar\n"))
        #expect(try await gantry(["image", "ls"]).output.contains("debian:12  -       1.0 KiB       0    -\n"))
        #expect(try await gantry(["image", "rm", "--force", "x"]).output == "removed x, 2.0 KiB freed\n")
    }

    @Test func codesOfTheDaemonsErrors() async throws {
        #expect(try await gantry(["image", "rm", "x"]) == .init(code: 77, output: "", error: "error: not you\n"))
        let again = try await gantry(["image", "inspect", "x"])
        #expect(again.code == 75)
        #expect(again.error.hasPrefix("error: recovering\n  hint:  wait for the daemon"))
        #expect(try await gantry(["logs", "nope"]).code == 125)
    }

    @Test func healthAndVersion() async throws {
        #expect(try await gantry(["health", "--wait", "10"]) == .init(code: 0, output: "ready\n", error: ""))
        #expect(try await gantry(["version"]).output.contains("gantryd:  9.9\n"))
    }

    @Test func waitingForTheDaemon() async throws {
        let waiting = try FakeDaemon()
        let program = try RunningProgram(["health", "--wait", "50"], host: waiting.path + ".later")
        let daemon = try FakeDaemon(path: waiting.path + ".later")
        let result = try await program.finish(on: waiting.reactor)
        await daemon.stop()
        await waiting.stop()
        #expect(result == .init(code: 0, output: "ready\n", error: ""))
    }

    @Test func theDaemonGoesAway() async throws {
        let daemon = try FakeDaemon()
        let other = try FakeDaemon()
        let program = try RunningProgram(["run", "--name", "web", "img", "hang"], host: daemon.path)
        await daemon.attached(to: "web")
        await daemon.disconnect()
        let result = try await program.finish(on: other.reactor)
        await daemon.stop()
        await other.stop()
        #expect(result.code == 125)
        #expect(result.error.hasPrefix("error: lost the daemon while web was running: "))
        #expect(result.error.contains("\n  hint:  the container may go on: "))
    }

    @Test func withoutADaemon() async throws {
        let daemon = try FakeDaemon()
        let program = try RunningProgram(["ps"], host: daemon.path + ".other")
        let result = try await program.finish(on: daemon.reactor)
        await daemon.stop()
        #expect(result.code == 69)
        #expect(result.output == "")
        #expect(result.error.hasPrefix("error: cannot connect to unix://\(daemon.path).other: ENOENT"))
        #expect(result.error.contains("--host unix:///PATH"))
    }

    @Test func wrongUsage() async throws {
        let result = try await gantry(["run", "--memory", "much", "img", "ls"])
        #expect(result.code == 64 && result.output == "")
        #expect(result.error.hasPrefix("error: the value 'much' is invalid"))
    }

    @Test func messages() async throws {
        let type = ["--type", "mesos.ContainerID"]
        let bytes = "\n\u{3}web"
        #expect(try await gantry(["wire", "decode"] + type, input: bytes).output == "{\n  \"value\": \"web\"\n}\n")
        #expect(try await gantry(["wire", "roundtrip"] + type, input: bytes).output == bytes)
        let refused = try await gantry(["wire", "decode"] + type, input: "\n\u{9}web")
        #expect(refused.code == 65 && refused.output == "")
        #expect(refused.error.hasPrefix("error: input ends too early") && refused.error.contains(": offset "))
        #expect(try await gantry(["wire", "decode", "--type", "no.Such"]).code == 64)
        let batch = "decode mesos.ContainerID CgN3ZWI=\nroundtrip mesos.ContainerID CgN3ZWI=\nx\n"
        let answers = try await gantry(["wire", "batch"], input: batch).output.split(separator: "\n")
        #expect(answers.count == 3)
        #expect(answers.first == "ok eyJ2YWx1ZSI6IndlYiJ9")
        #expect(answers.last?.hasPrefix("rejected ") == true)
    }
}
