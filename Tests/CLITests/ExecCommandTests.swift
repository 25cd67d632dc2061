// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing
import Wire

@testable import CLI

@Suite struct ExecCommandTests {
    private func request(_ words: String...) throws -> Gantry.V1.LaunchRequest {
        try #require(try GantryCommand.parseAsRoot(["exec"] + words) as? ExecCommand).request()
    }

    @Test func aDebugContainerInTheNamedOne() throws {
        let request = try request(
            "--env", "A=1", "--user", "www:logs", "--cap", "none", "web.check", "ls", "-l", "--", "x")
        #expect(request.containerID?.parent == .init(value: "check", parent: .init(value: "web")))
        #expect(request.containerID?.value.hasPrefix("exec-") == true)
        let config = try #require(request.containerConfig)
        #expect(config.containerClass == .debug)
        #expect(config.commandInfo.value == "ls" && config.commandInfo.shell == false)
        #expect(config.commandInfo.arguments == ["ls", "-l", "--", "x"])
        #expect(config.commandInfo.environment?.variables.map(\.name) == ["A"])
        #expect(config.user == "www:logs")
        #expect(config.containerInfo?.linuxInfo?.effectiveCapabilities?.capabilities == [])
        #expect(config.containerInfo?.mesos == nil)
    }

    @Test func aSeparatorMayStandBeforeTheCommand() throws {
        #expect(
            try request("web", "--", "sh", "-c", "true").containerConfig?.commandInfo.arguments == ["sh", "-c", "true"])
        #expect(try request("--", "web", "--", "sh").containerConfig?.commandInfo.arguments == ["sh"])
        #expect(try request("web", "sh").containerID != request("web", "sh").containerID, "each has a name of its own")
        #expect(try request("web", "sh").containerConfig?.containerInfo == nil)
    }

    @Test(arguments: [[], ["web"], ["web", "--"], ["a..b", "sh"], ["-x", "web", "sh"], ["--env", "=", "web", "sh"]])
    func wrongUsage(words: [String]) {
        let error = #expect(throws: (any Error).self) { try GantryCommand.parseAsRoot(["exec"] + words) }
        #expect(error.map { GantryCommand.exitCode(for: $0).rawValue } == 64)
    }

    @Test func aNameInsideOfAnother() throws {
        func name(_ words: String...) throws -> String {
            let command = try GantryCommand.parseAsRoot(["run"] + words + ["image", "ls"])
            return try #require(command as? RunCommand).request().name.description
        }
        #expect(try name("--parent", "a", "--name", "b") == "a.b")
        #expect(try name("--parent", "a.b", "--name", "c.d") == "a.b.c.d")
        #expect(try name("--name", "a.b") == "a.b")
        #expect(try name("--parent", "a").hasPrefix("a."))
    }

    @Test func aPlanAsATable() {
        let plan = Gantry.V1.PlanResponse(
            newNamespaces: ["mount", "pid"], enteredNamespaces: ["net"], cgroups: ["/c"],
            steps: [.init(origin: "filesystem/linux", name: "mount", text: "proc on /proc\u{7}")])
        let lines = PlanCommand.table(plan).split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.contains("mount pid") })
        #expect(lines.contains { $0.contains("parent's namespaces") && $0.contains("net") })
        #expect(lines.last?.split(separator: " ").prefix(2) == ["mount", "filesystem/linux"])
        #expect(lines.last?.contains("\u{7}") == false)
    }
}
