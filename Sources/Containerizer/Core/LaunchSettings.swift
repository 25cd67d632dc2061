// SPDX-License-Identifier: Apache-2.0

import Wire

/// Command, environment, root, directory and user of a container, out of its configuration, what the isolators ask for
/// and, for a DEBUG container, its parent (containerizer.md 3.6 to 3.8).
struct LaunchSettings {
    let config: Mesos.Slave.ContainerConfig
    /// Of a DEBUG container; nil for every other one.
    let parent: LaunchPlan.Parent?
    let sandboxMountPoint: String

    private var isDebug: Bool { config.containerClass == .debug }

    /// The agent made an executor that runs one task; the image is the task's.
    private var isCommandTask: Bool { config.taskInfo != nil }

    /// Whether the daemon moves the process into a root of its own.
    var rootfs: String? { isCommandTask ? nil : config.rootfs }

    /// The executor of a command task with an image needs root, to enter the task's file system.
    var user: String? { isCommandTask && config.rootfs != nil ? "root" : config.user }

    /// An isolator's command replaces the configuration's, but only adds arguments to the executor of a command task.
    ///
    /// - Throws: `launch.no-command`; `launch.isolator-set-command`.
    func command(isolators info: Mesos.Slave.ContainerLaunchInfo) throws(ContainerError) -> Mesos.CommandInfo {
        var command = info.command ?? config.commandInfo
        if isCommandTask {
            command = config.commandInfo
            command.arguments += try argumentsOnly(info.command) + taskArguments(info)
        }
        guard let value = command.value, !value.isEmpty else {
            throw ContainerError(
                .invalidArgument, code: "launch.no-command", "the container has no command",
                step: "checking the request", subject: "command_info.value", hint: "say what to run")
        }
        command.uris = []
        command.environment = nil
        command.user = nil
        return command
    }

    private func argumentsOnly(_ command: Mesos.CommandInfo?) throws(ContainerError) -> [String] {
        guard let command else { return [] }
        guard command.value == nil, command.shell == nil, command.user == nil, command.uris.isEmpty,
            command.environment == nil
        else {
            throw ContainerError(
                .internal, code: "launch.isolator-set-command",
                "an isolator changed more than the arguments of a command task's executor",
                step: "merging the launch plan", subject: "command",
                hint: "leave the isolator out of --isolation, or launch the task with an executor of its own")
        }
        return command.arguments
    }

    /// What the executor of a command task is told about its task.
    private func taskArguments(_ info: Mesos.Slave.ContainerLaunchInfo) throws(ContainerError) -> [String] {
        var arguments: [String] = []
        let variables = Self.lastOfEachName(info.taskEnvironment?.variables ?? [])
        if !variables.isEmpty {
            arguments.append("--task_environment=\(try Self.json(Mesos.Environment(variables: variables)))")
        }
        let groups = Set(info.taskSupplementaryGroups).sorted()
        if !groups.isEmpty {
            arguments.append("--task_supplementary_groups=\(groups.map(String.init).joined(separator: ","))")
        }
        if let rootfs = config.rootfs { arguments.append("--rootfs=\(rootfs)") }
        return arguments
    }

    private static func json(_ environment: Mesos.Environment) throws(ContainerError) -> String {
        do {
            return try environment.json()
        } catch {
            throw ContainerError(wrapping: error, step: "merging the launch plan")
        }
    }

    private static func lastOfEachName(
        _ variables: [Mesos.Environment.Variable]
    ) -> [Mesos.Environment.Variable] {
        var result: [Mesos.Environment.Variable] = []
        var position: [String: Int] = [:]
        for variable in variables {
            if let index = position[variable.name] {
                result[index] = variable
            } else {
                position[variable.name] = result.count
                result.append(variable)
            }
        }
        return result
    }

    /// Later entries of the same name win; the order of the sources is the contract's (3.7).
    func environment(agent: [String: String], isolators: Mesos.Environment?) -> Mesos.Environment {
        var variables = parent?.launchInfo?.environment?.variables ?? []
        variables += agent.sorted { $0.key < $1.key }.map {
            Mesos.Environment.Variable(name: $0.key, value: $0.value)
        }
        if !isDebug {
            let sandbox = config.rootfs == nil ? config.directory : sandboxMountPoint
            variables.append(Mesos.Environment.Variable(name: "MESOS_SANDBOX", value: sandbox))
        }
        variables += isolators?.variables ?? []
        variables += (config.commandInfo.environment?.variables ?? []).filter { $0.type != .secret }
        return Mesos.Environment(variables: variables)
    }

    /// With a root of its own: an isolator's, else what the image's configuration says, else the sandbox. On the host's
    /// file system always the sandbox. Of a DEBUG container: where its parent's command runs.
    func workingDirectory(isolators: String?) -> String? {
        if isDebug { return parent.flatMap(directoryOfCommand) }
        guard rootfs != nil else { return config.directory }
        return isolators ?? config.docker?.manifest?.config?.workingDir ?? sandboxMountPoint
    }

    /// The task of a command task with an image runs where its executor was told, in the task's root.
    private func directoryOfCommand(of parent: LaunchPlan.Parent) -> String? {
        guard let info = parent.launchInfo else { return nil }
        guard parent.config.taskInfo != nil, parent.config.rootfs != nil else { return info.workingDirectory }
        let option = "--working_directory="
        let argument = info.command?.arguments.first { $0.hasPrefix(option) }
        return argument.map { String($0.dropFirst(option.utf8.count)) } ?? sandboxMountPoint
    }
}
