// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Wire

/// What a launch comes to, decided before a process exists: the launch info that is checkpointed, the namespaces and
/// cgroups that the process is born into, and the steps that init executes (containerizer.md 3.5 to 3.8, 6.2).
struct LaunchPlan {
    var launchInfo: Mesos.Slave.ContainerLaunchInfo
    /// For the clone: without those of the stage.
    var namespaces: UInt64
    /// The parent container's namespaces that are entered before the clone.
    var enters: UInt64
    /// Whether they are those of the task that the parent's executor runs, not of the executor.
    var entersTask: Bool
    var takesStage: Bool
    var cgroup1Directories: [String]
    var plan: Gantry.Init.V1.Plan

    /// - Parameters:
    ///   - root: the step that mounts the root, if the container has an image.
    ///   - environment: what the caller of `launch` passed beside the configuration.
    ///   - parent: of a nested container.
    ///   - user: who runs the command, if the configuration names somebody.
    init(
        _ config: Mesos.Slave.ContainerConfig, environment: [String: String], root: Gantry.Init.V1.Step.Kind?,
        contributions: [NamedContribution], stage: Stage? = nil, parent: Parent? = nil, user: UserIdentity? = nil,
        sandboxMountPoint: String
    ) throws(ContainerError) {
        var merge = LaunchInfoMerge()
        for named in contributions { try merge.add(named) }
        var info = merge.merged

        let settings = LaunchSettings(
            config: config, parent: config.containerClass == .debug ? parent : nil, sandboxMountPoint: sandboxMountPoint
        )
        info.command = try settings.command(isolators: info)
        info.environment = settings.environment(agent: environment, isolators: info.environment)
        info.taskEnvironment = nil
        info.taskSupplementaryGroups = []
        info.rootfs = settings.rootfs
        info.workingDirectory = settings.workingDirectory(isolators: info.workingDirectory)
        info.user = settings.user
        let user = settings.user == config.user ? user : UserIdentity(uid: 0, gid: 0)

        launchInfo = info
        namespaces = info.cloneNamespaces.reduce(0) { $0 | UInt64(UInt32(bitPattern: $1)) }
        enters = info.enterNamespaces.reduce(0) { $0 | UInt64(UInt32(bitPattern: $1)) }
        entersTask = info.enterNamespaces.contains(Namespace.mount) && parent?.config.taskInfo != nil
        cgroup1Directories = contributions.flatMap(\.contribution.cgroup1Directories)
        let linux = config.containerInfo?.linuxInfo
        let contributed = contributions.flatMap { named in
            let origin = PlanText.trusted(named.isolator)
            return named.contribution.steps.map { Gantry.Init.V1.Step(origin: origin, kind: $0) }
        }
        // Without a root of its own the container has the host's directories, and mounts nothing on them.
        // A stage's namespaces are the host's children, not those of the namespaces that a nested container enters.
        let staged = root == nil || enters != 0 ? nil : stage?.replacing(contributed, namespaces: namespaces)
        takesStage = staged != nil
        if takesStage { namespaces &= ~(stage?.namespaces ?? 0) }
        plan = Gantry.Init.V1.Plan(
            steps: try Self.steps(
                info, root: root, contributed: staged ?? contributed, user: user,
                asksForCapabilities: linux?.effectiveCapabilities != nil || linux?.capabilityInfo != nil))
    }

    /// What a DEBUG container has of its parent.
    struct Parent {
        var config: Mesos.Slave.ContainerConfig
        /// Nil if the parent's plan was never known to this daemon.
        var launchInfo: Mesos.Slave.ContainerLaunchInfo?
    }
}

/// The steps, in the order that init's safety rests on (containerizer.md 6.2).
extension LaunchPlan {
    private typealias Kind = Gantry.Init.V1.Step.Kind

    private static func steps(
        _ info: Mesos.Slave.ContainerLaunchInfo, root: Gantry.Init.V1.Step.Kind?, contributed: [Gantry.Init.V1.Step],
        user: UserIdentity?, asksForCapabilities: Bool
    ) throws(ContainerError) -> [Gantry.Init.V1.Step] {
        var steps: [Gantry.Init.V1.Step] = []
        func add(_ kind: Kind, _ origin: String) {
            steps.append(Gantry.Init.V1.Step(origin: PlanText.trusted(origin), kind: kind))
        }

        let ownsMounts = info.cloneNamespaces.contains(Namespace.mount)
        if ownsMounts { add(.propagation(.init(flags: UInt64(MS_REC | MS_SLAVE))), "core") }
        if let root { add(root, "provisioner") }
        steps += contributed
        for path in info.maskedPaths { add(.mask(.init(path: try PlanText.checked(path, "masked_paths"))), "core") }
        // The executor of a command task stays on the host's file system, and enters the task's root itself.
        if root != nil && info.rootfs != nil { add(.pivotRoot(.init()), "core") }

        for limit in try info.rlimits?.planSteps() ?? [] { add(limit, "core") }
        if let directory = info.workingDirectory {
            add(
                .workingDirectory(.init(path: try PlanText.checked(directory, "working_directory"), create: true)),
                "core")
        }
        addCredentials(info, user, keepsCapabilities: asksForCapabilities) { add($0, "core") }
        add(.execute(try execute(info)), "core")
        return steps
    }

    /// Identity, then capabilities, then no_new_privs: setuid clears the effective set, so the capabilities follow it.
    /// A user who is not root keeps capabilities only if the container asked for them itself.
    private static func addCredentials(
        _ info: Mesos.Slave.ContainerLaunchInfo, _ user: UserIdentity?, keepsCapabilities: Bool, add: (Kind) -> Void
    ) {
        let capabilities = CapabilitySets(info, ambient: keepsCapabilities && user != nil && user?.uid != 0)
        if user != nil || !info.supplementaryGroups.isEmpty {
            let user = user ?? UserIdentity(uid: 0, gid: 0)
            add(
                .identity(
                    .init(
                        uid: user.uid, gid: user.gid,
                        groups: Set(user.groups + info.supplementaryGroups).sorted(),
                        keepCapabilities: capabilities != nil)))
        }
        if let capabilities { add(.capabilities(capabilities.step)) }
        if info.noNewPrivileges == true { add(.noNewPrivileges(.init())) }
    }

    private static func execute(
        _ info: Mesos.Slave.ContainerLaunchInfo
    ) throws(ContainerError) -> Gantry.Init.V1.Execute {
        let command = info.command ?? Mesos.CommandInfo()
        let value = command.value ?? ""
        let words = command.shellOrDefault ? ["sh", "-c", value] : command.arguments
        var arguments: [[UInt8]] = []
        for word in words { arguments.append(try PlanText.checked(word, "arguments")) }
        return Gantry.Init.V1.Execute(
            path: try PlanText.checked(command.shellOrDefault ? "sh" : value, "command_info.value"),
            arguments: arguments, environment: try environmentBlock(info.environment))
    }

    /// "NAME=value" for each name once, the last value counting, and a PATH if there is none.
    private static func environmentBlock(_ environment: Mesos.Environment?) throws(ContainerError) -> [[UInt8]] {
        var position: [String: Int] = [:]
        var block: [[UInt8]] = []
        for variable in environment?.variables ?? [] {
            let name = variable.name
            guard !name.isEmpty, !name.contains("=") else {
                throw ContainerError(
                    .invalidArgument, code: "launch.invalid-environment",
                    "\"\(name)\" cannot be the name of an environment variable", step: "checking the request",
                    subject: "environment", hint: "a name is not empty and contains no '='")
            }
            let entry = try PlanText.checked("\(name)=\(variable.value ?? "")", "environment \(name)")
            if let index = position[name] {
                block[index] = entry
            } else {
                position[name] = block.count
                block.append(entry)
            }
        }
        if position["PATH"] == nil { block.append(PlanText.trusted("PATH=\(defaultPath)")) }
        return block
    }

    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
