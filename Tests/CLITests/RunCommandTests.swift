// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing
import Wire

@testable import CLI

@Suite struct RunCommandTests {
    private func parse(_ words: String...) throws -> RunCommand {
        try #require(try GantryCommand.parseAsRoot(["run"] + words) as? RunCommand)
    }

    private func config(_ words: String...) throws -> Mesos.Slave.ContainerConfig {
        let command = try #require(try GantryCommand.parseAsRoot(["run"] + words) as? RunCommand)
        return try #require(try command.request().message().containerConfig)
    }

    @Test func theImageAndTheCommand() throws {
        let config = try config("debian:12", "/bin/echo", "hello")
        #expect(config.directory == "")
        #expect(config.commandInfo.shell == false)
        #expect(config.commandInfo.value == "/bin/echo")
        #expect(config.commandInfo.arguments == ["/bin/echo", "hello"])
        #expect(config.containerInfo?.type == .mesos)
        #expect(config.containerInfo?.mesos?.image?.type == .docker)
        #expect(config.containerInfo?.mesos?.image?.docker?.name == "debian:12")
        #expect(config.limits.isEmpty && config.resources.isEmpty)
        #expect(config.containerInfo?.linuxInfo == nil)
    }

    @Test func everythingAfterTheImageIsTheCommands() throws {
        let request = try parse("--memory", "1m", "img", "ls", "--memory", "2m", "-x", "--", "--help", "-o", "json")
            .request()
        #expect(request.image == "img")
        #expect(request.command == ["ls", "--memory", "2m", "-x", "--", "--help", "-o", "json"])
        #expect(request.memory?.bytes == 1_048_576)
        #expect(try parse("img", "ls", "--help").request().command == ["ls", "--help"])
        #expect(try parse("img", "ls", "-h", "--version").request().command == ["ls", "-h", "--version"])
        #expect(try parse("--", "img", "--", "ls").request().command == ["--", "ls"])
        #expect(try parse("img", "run", "ps", "wait").request().command == ["run", "ps", "wait"])
    }

    @Test(arguments: [
        [], ["img"], ["--memroy", "32m", "img", "ls"], ["-y", "img", "ls"], ["--memory", "much", "img", "ls"],
        ["--cpus", "inf", "img", "ls"], ["--pids", "-1", "img", "ls"], ["--pids", "1.5", "img", "ls"],
        ["--env", "=x", "img", "ls"], ["--env", "GANTRY_TEST_NOT_SET", "img", "ls"], ["--cap", "FLY", "img", "ls"],
        ["--cap", "UNKNOWN", "img", "ls"], ["--sandbox", "here", "img", "ls"], ["--name", "a..b", "img", "ls"],
        ["--memory"],
    ])
    func wrongUsage(words: [String]) {
        let error = #expect(throws: (any Error).self) { try GantryCommand.parseAsRoot(["run"] + words) }
        #expect(error.map { GantryCommand.exitCode(for: $0).rawValue } == 64)
        #expect(error.map(UsageFailure.concerns) == true)
    }

    @Test func limitsAreRequestsToo() throws {
        let config = try config("--memory", "32m", "--cpus", "0.5", "--pids", "64", "img", "ls")
        #expect(config.limits.mapValues(\.value) == ["mem": 32, "cpus": 0.5, "pids": 64])
        #expect(config.resources.map(\.name) == ["mem", "cpus"])
        #expect(config.resources.map { $0.scalar?.value } == [32, 0.5])
        #expect(config.resources.allSatisfy { $0.type == .scalar && $0.role == "*" })
    }

    @Test func whatTheDaemonRefusesIsSent() throws {
        #expect(try config("--memory", "0", "img", "ls").limits["mem"]?.value == 0)
        #expect(try config("--memory", "1b", "img", "ls").limits["mem"]?.value == 1.0 / 1_048_576)
    }

    @Test func theProcess() throws {
        let config = try config(
            "-e", "A=1", "--env", "B=x=y", "-e", "C=", "--workdir", "/tmp", "--user", "1000:100", "--hostname", "h",
            "--cap", "net_admin,CAP_CHOWN", "--cap", "KILL", "--sandbox", "/var/x", "img", "ls")
        let variables = config.commandInfo.environment?.variables ?? []
        #expect(variables.map(\.name) == ["A", "B", "C"])
        #expect(variables.map(\.value) == ["1", "x=y", ""])
        #expect(config.docker?.manifest?.config?.workingDir == "/tmp")
        #expect(config.user == "1000:100")
        #expect(config.containerInfo?.hostname == "h")
        #expect(config.containerInfo?.linuxInfo?.effectiveCapabilities?.capabilities == [.netAdmin, .chown, .kill])
        #expect(config.directory == "/var/x")
    }

    @Test func noCapabilities() throws {
        #expect(
            try config("--cap", "none", "img", "ls").containerInfo?.linuxInfo?.effectiveCapabilities?.capabilities == []
        )
    }

    @Test func names() throws {
        #expect(try parse("--name", "web", "img", "ls").request().message().containerID?.value == "web")
        #expect(try parse("img", "ls").request().message().containerID?.value.count == 12)
    }
}
