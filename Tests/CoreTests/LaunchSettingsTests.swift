// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import Core

/// Command, environment, root, directory and user, by containerizer.md 3.6 to 3.8.
@Suite struct LaunchSettingsTests {
    private typealias Config = Mesos.Slave.ContainerConfig

    private static let task = Mesos.TaskInfo(name: "t", taskID: .init(value: "t"), slaveID: .init(value: "s"))

    private func config(
        rootfs: String? = nil, task: Bool = false, debug: Bool = false, workingDirectory: String? = nil
    ) -> Mesos.Slave.ContainerConfig {
        var config = Mesos.Slave.ContainerConfig(
            directory: "/sandbox", user: "someone", rootfs: rootfs,
            commandInfo: .init(value: "executor", shell: false, arguments: ["executor"]))
        if task { config.taskInfo = Self.task }
        if debug { config.containerClass = .debug }
        if let workingDirectory {
            config.docker = .init(manifest: .init(config: .init(workingDir: workingDirectory)))
        }
        return config
    }

    private func settings(_ config: Mesos.Slave.ContainerConfig, parent: LaunchPlan.Parent? = nil) -> LaunchSettings {
        LaunchSettings(config: config, parent: parent, sandboxMountPoint: "/mnt/mesos/sandbox")
    }

    // MARK: Working directory

    struct Directory: Sendable {
        var rootfs: String?
        var task = false
        var image: String?
        var isolators: String?
        var expected: String
    }

    @Test(arguments: [
        Directory(expected: "/sandbox"),
        Directory(isolators: "/etc", expected: "/sandbox"),
        Directory(rootfs: "/r", expected: "/mnt/mesos/sandbox"),
        Directory(rootfs: "/r", image: "/srv", expected: "/srv"),
        Directory(rootfs: "/r", image: "/srv", isolators: "/etc", expected: "/etc"),
        Directory(rootfs: "/r", task: true, expected: "/sandbox"),
        Directory(rootfs: "/r", task: true, isolators: "/etc", expected: "/sandbox"),
    ])
    func theWorkingDirectory(example: Directory) {
        let config = config(rootfs: example.rootfs, task: example.task, workingDirectory: example.image)
        #expect(settings(config).workingDirectory(isolators: example.isolators) == example.expected)
    }

    @Test func theWorkingDirectoryOfADebugContainer() {
        let debug = config(debug: true)
        func directory(_ parent: LaunchPlan.Parent?) -> String? {
            settings(debug, parent: parent).workingDirectory(isolators: "/ignored")
        }
        func info(_ arguments: [String]) -> Mesos.Slave.ContainerLaunchInfo {
            .init(command: .init(arguments: arguments), workingDirectory: "/recorded")
        }
        let told = info(["executor", "--working_directory=/work", "--working_directory=/other"])
        #expect(directory(nil) == nil)
        #expect(directory(.init(config: config(), launchInfo: nil)) == nil)
        #expect(directory(.init(config: config(rootfs: "/r"), launchInfo: told)) == "/recorded")
        #expect(directory(.init(config: config(task: true), launchInfo: told)) == "/recorded")
        #expect(directory(.init(config: config(rootfs: "/r", task: true), launchInfo: told)) == "/work")
        let untold = info(["executor"])
        #expect(directory(.init(config: config(rootfs: "/r", task: true), launchInfo: untold)) == "/mnt/mesos/sandbox")
    }

    // MARK: Command

    @Test func anIsolatorsCommandReplacesTheConfigurations() throws {
        let info = Mesos.Slave.ContainerLaunchInfo(command: .init(value: "other", shell: false, arguments: ["o"]))
        #expect(
            try settings(config()).command(isolators: info) == .init(value: "other", shell: false, arguments: ["o"]))
        #expect(
            try settings(config()).command(isolators: .init())
                == .init(value: "executor", shell: false, arguments: ["executor"]))
    }

    @Test func urisEnvironmentAndUserAreTakenOut() throws {
        var config = config()
        config.commandInfo.uris = [.init(value: "file:///x")]
        config.commandInfo.environment = .init(variables: [.init(name: "A", value: "1")])
        config.commandInfo.user = "x"
        let command = try settings(config).command(isolators: .init())
        #expect(command.uris.isEmpty && command.environment == nil && command.user == nil)
    }

    @Test func aCommandTasksExecutorGetsArgumentsInTheirOrder() throws {
        let info = Mesos.Slave.ContainerLaunchInfo(
            command: .init(arguments: ["--isolator=1"]),
            taskEnvironment: .init(variables: [
                .init(name: "A", value: "1"), .init(name: "B", value: "2"), .init(name: "A", value: "3"),
            ]), taskSupplementaryGroups: [7, 5, 7])
        let arguments = try settings(config(rootfs: "/r", task: true)).command(isolators: info).arguments
        #expect(arguments.prefix(2) == ["executor", "--isolator=1"])
        #expect(arguments.suffix(2) == ["--task_supplementary_groups=5,7", "--rootfs=/r"])
        let environment = try #require(arguments.first { $0.hasPrefix("--task_environment=") })
        let decoded = try Mesos.Environment(json: String(environment.dropFirst("--task_environment=".count)))
        #expect(decoded.variables.map(\.name) == ["A", "B"])
        #expect(decoded.variables.map(\.value) == ["3", "2"])
        #expect(arguments.count == 5)
        #expect(try settings(config(task: true)).command(isolators: .init()).arguments == ["executor"])
    }

    @Test(arguments: [
        Mesos.CommandInfo(value: "x"), .init(shell: true), .init(user: "x"), .init(uris: [.init(value: "x")]),
        .init(environment: .init()),
    ])
    func anIsolatorAddsNothingElseToACommandTask(command: Mesos.CommandInfo) {
        let error = #expect(throws: ContainerError.self) {
            try settings(config(task: true)).command(isolators: .init(command: command))
        }
        #expect(error?.code == "launch.isolator-set-command")
    }

    // MARK: User, root, environment

    @Test func theExecutorOfACommandTaskStaysOutsideOfItsImageAndIsRoot() {
        let task = settings(config(rootfs: "/r", task: true))
        #expect(task.user == "root" && task.rootfs == nil)
        let plain = settings(config(task: true))
        #expect(plain.user == "someone" && plain.rootfs == nil)
        let image = settings(config(rootfs: "/r"))
        #expect(image.user == "someone" && image.rootfs == "/r")
    }

    @Test func theSandboxIsNamedAsTheContainerSeesIt() {
        func sandbox(_ settings: LaunchSettings) -> [String?] {
            settings.environment(agent: [:], isolators: nil).variables.filter { $0.name == "MESOS_SANDBOX" }.map(
                \.value)
        }
        #expect(sandbox(settings(config())) == ["/sandbox"])
        #expect(sandbox(settings(config(rootfs: "/r"))) == ["/mnt/mesos/sandbox"])
        #expect(sandbox(settings(config(rootfs: "/r", task: true))) == ["/mnt/mesos/sandbox"])
        #expect(sandbox(settings(config(debug: true))).isEmpty)
    }

    @Test func whatIsSecretIsNotTakenFromTheCommand() {
        var config = config()
        config.commandInfo.environment = .init(variables: [
            .init(name: "A", type: .secret), .init(name: "B", value: "b", type: .value),
        ])
        let names = settings(config).environment(agent: ["C": "c"], isolators: nil).variables.map(\.name)
        #expect(names == ["C", "MESOS_SANDBOX", "B"])
    }
}
