// SPDX-License-Identifier: Apache-2.0

public import Wire

/// Containers inside of others: what is asked of a nested launch, and who is whose child (containerizer.md 2.3.1, 2.3.2).
extension Containerizer {
    /// The record comes into the table, and to its parent.
    func insert(_ container: Container) {
        table[container.id] = container
        if let parent = container.id.parent { table[parent]?.children.insert(container.id) }
    }

    /// The record is gone: the last act of a teardown.
    func erase(_ container: Container) {
        table[container.id] = nil
        if let parent = container.id.parent { table[parent]?.children.remove(container.id) }
    }

    /// The configurations of the containers around it, the direct parent first.
    func ancestors(of id: Mesos.ContainerID) -> [Mesos.Slave.ContainerConfig] {
        var configs: [Mesos.Slave.ContainerConfig] = []
        var next = id.parent
        while let ancestor = next {
            if let config = table[ancestor]?.config { configs.append(config) }
            next = ancestor.parent
        }
        return configs
    }

    /// What a nested container has of those around it: the parent's user, the root container's executor, and a sandbox
    /// below the root container's. Nothing of a top-level one changes.
    ///
    /// - Throws: `launch.no-parent`, `launch.parent-ending`, `launch.root-without-sandbox`.
    func inherit(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) throws(ContainerError) -> Mesos.Slave.ContainerConfig {
        guard let parentID = id.parent else { return config }
        guard let parent = table[parentID] else {
            throw Self.refused(
                .notFound, id, "no-parent", "there is no container \(parentID.text) to launch \(id.text) in",
                hint: "gantry ps lists the containers")
        }
        guard !parent.lifecycle.isEnding else {
            throw Self.refused(
                .failedPrecondition, id, "parent-ending", "\(parentID.text) is being destroyed",
                hint: "launch it in another container")
        }
        guard let root = table[id.root], !root.config.directory.isEmpty else {
            throw Self.refused(
                .failedPrecondition, id, "root-without-sandbox", "the sandbox of \(id.root.text) is not known",
                hint: "launch it in another container")
        }
        var config = config
        config.user = config.user ?? parent.config.user
        config.executorInfo = root.config.executorInfo
        config.directory = root.config.directory
        return config
    }

    private static func refused(
        _ kind: ContainerError.Kind, _ id: Mesos.ContainerID, _ code: String, _ message: String, hint: String
    ) -> ContainerError {
        ContainerError(kind, code: "launch.\(code)", message, step: "launch", subject: id.text, hint: hint)
    }

    /// Returns when the parent executes its command. Until then its first process may be in namespaces that it will
    /// leave, with the host's file system in them; what entered them would stay there.
    ///
    /// - Throws: `launch.parent-failed` when the parent's command could not be executed.
    func awaitParent(of container: Container) async throws {
        guard let id = container.id.parent, let parent = table[id] else { return }
        guard let failure = try await parent.started.value() else { return }
        throw Self.refused(
            .failedPrecondition, container.id, "parent-failed", "\(id.text) was not started: \(failure.message)",
            hint: "launch it in another container")
    }
}

extension Mesos.ContainerID {
    /// The top-level container that this one is in, or is.
    public var root: Mesos.ContainerID {
        var id = self
        while let parent = id.parent { id = parent }
        return id
    }
}

/// Which requests make no sense for a nested container, and which for none but a nested one.
enum NestingRules {
    /// - Throws: `launch.…`, kind `invalidArgument`.
    static func check(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, hasPIDCheckpoint: Bool
    ) throws(ContainerError) {
        guard let parent = id.parent else { return try checkTopLevel(id, config) }
        if config.taskInfo != nil || config.executorInfo != nil {
            throw refused(
                id, "nested-executor", "a nested container is neither an executor nor a task",
                hint: "leave executor_info and task_info out")
        }
        if hasPIDCheckpoint {
            throw refused(
                id, "nested-checkpoint", "a nested container has no pid checkpoint of the agent's",
                hint: "leave pid_checkpoint_path out")
        }
        if config.containerClass == .debug { try checkDebug(id, config) }
        try checkCgroups(id, config, isDeep: parent.parent != nil)
    }

    private static func checkTopLevel(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) throws(ContainerError) {
        if config.containerClass == .debug {
            throw refused(
                id, "debug-top-level", "a DEBUG container needs a parent",
                hint: "name the container to debug as the parent of the id")
        }
        if config.containerInfo?.linuxInfo?.shareCgroups == true {
            throw refused(
                id, "share-top-level", "a top-level container has no parent to share cgroups with",
                hint: "leave share_cgroups out")
        }
    }

    /// It lives in its parent's file system.
    private static func checkDebug(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) throws(ContainerError) {
        guard config.containerInfo?.mesos?.image != nil || config.containerInfo?.volumes.isEmpty == false else {
            return
        }
        throw refused(
            id, "debug-file-system", "a DEBUG container has the file system of its parent",
            hint: "leave the image and the volumes out")
    }

    /// The resources of a container that shares its cgroups are its parent's; only the first level may have its own.
    private static func checkCgroups(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, isDeep: Bool
    ) throws(ContainerError) {
        let shares = config.sharesCgroups
        if !shares, config.containerClass == .debug || isDeep {
            throw refused(
                id, "own-cgroups", "only a container directly inside of a top-level one may have cgroups of its own",
                hint: "leave share_cgroups out")
        }
        if shares, !config.limits.isEmpty || (isDeep && !config.resources.isEmpty) {
            throw refused(
                id, "shared-limits", "\(id.text) shares the cgroups of \(id.root.text), and with them its limits",
                hint: "leave resources and limits out, or set share_cgroups to false in a first-level container")
        }
    }

    private static func refused(
        _ id: Mesos.ContainerID, _ code: String, _ message: String, hint: String
    ) -> ContainerError {
        ContainerError(
            .invalidArgument, code: "launch.\(code)", message, step: "checking the request", subject: id.text,
            hint: hint)
    }
}

extension Mesos.Slave.ContainerConfig {
    /// Whether a nested container with this configuration stays in the cgroups around it.
    public var sharesCgroups: Bool {
        containerInfo?.linuxInfo?.shareCgroups ?? true
    }
}
