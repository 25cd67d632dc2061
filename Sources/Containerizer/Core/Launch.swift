// SPDX-License-Identifier: Apache-2.0

import Logging
import Reactor
import Kernel
public import Wire

/// Launch: from a request to a running command (containerizer.md 2.3 and 3.4).
extension Containerizer {
    /// Starts a container. `success` means that init was told what to do and let go; what fails in the container
    /// after that is told by `wait`.
    ///
    /// Cancelling the caller stops the launch at its next step. Whenever this throws, the caller calls `destroy`: a
    /// launch that failed leaves its container in the table, so that its error can be inspected.
    ///
    /// - Parameter pidCheckpointPath: a file that receives the pid before the daemon's own record does.
    public func launch(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, environment: [String: String],
        pidCheckpointPath: String?
    ) async throws -> Gantry.V1.LaunchResult {
        if table[id] != nil { return .alreadyLaunched }
        if let info = config.containerInfo, info.type != .mesos { return .notSupported }
        let container = try admit(id, config, hasPIDCheckpoint: pidCheckpointPath != nil)
        let launch = Task(executorPreference: reactor) {
            try await self.run(container: id, environment: environment, pidCheckpointPath: pidCheckpointPath)
        }
        container.launch = launch
        do {
            try await withTaskCancellationHandler {
                try await launch.value
            } onCancel: {
                launch.cancel()
            }
        } catch {
            container.forked.settle(.failure(error))
            // A process that waits for its plan would wait for ever.
            if container.process != nil { beginDestroy(container, prefilled: nil) }
            throw error
        }
        return .success
    }

    /// The checks, in the contract's order, and the record. From here on the container's name is on disk.
    func admit(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, hasPIDCheckpoint: Bool
    ) throws(ContainerError) -> Container {
        try id.validate()
        try NestingRules.check(id, config, hasPIDCheckpoint: hasPIDCheckpoint)
        try ResourceAmounts.validate(requests: config.resources, limits: config.limits)

        var config = try inherit(id, config)
        // A nested container's sandbox is below its root container's, and stays as long as that.
        let ownsSandbox = id.parent == nil && config.directory.isEmpty
        // Before its runtime directory, which replaces what is known of an earlier one of the name.
        if id.parent != nil { config.directory = try makeSandbox(id, config) }
        do {
            try runtime.create(id)
            try mark(id, config)
            if id.parent == nil { config.directory = try makeSandbox(id, config) }
        } catch {
            if ownsSandbox { try? sandboxes.remove(id) }
            try? runtime.remove(id)
            throw ContainerError(wrapping: error, step: "making the container's directories")
        }
        let container = Container(id, config, ownsSandbox: ownsSandbox, now: .now)
        insert(container)
        return container
    }

    private func makeSandbox(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) throws(ContainerError) -> String {
        do {
            return try sandboxes.create(for: id, at: config.directory)
        } catch {
            throw ContainerError(wrapping: error, step: "making the container's directories")
        }
    }

    /// What recovery has to know of the container before it can read its configuration.
    private func mark(_ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig) throws {
        if config.containerClass == .debug {
            try runtime.write([], to: .forceDestroyOnRecovery, of: id)
        } else if id.parent == nil && config.executorInfo == nil && config.taskInfo == nil {
            try runtime.write([], to: .standaloneMarker, of: id)
        }
    }

    /// The pipeline. Destroy cancels the task that runs this and awaits its end, so the container is in the table
    /// throughout.
    private func run(
        container id: Mesos.ContainerID, environment: [String: String], pidCheckpointPath: String?
    ) async throws(ContainerError) {
        let container = try known(id)
        let plan = try await prepare(container, environment: environment, stage: stage)
        try await step(.launch, "checkpoint launch info", of: container) {
            try runtime.write(plan.launchInfo, to: .launchInfo, of: id)
        }

        let process = try await fork(container, plan)
        try await step(.launch, "checkpoint pid", of: container) {
            try runtime.write(pid: process.pid, of: id, agentPath: pidCheckpointPath)
        }
        try advance(container)
        try await isolate(container, pid: process.pid)
        try advance(container)

        // Running before the release: the command may end before this task goes on, and its end is no failure of
        // the launch.
        try advance(container)
        do {
            try await step(.launch, "release", of: container) {
                try await process.release()
            }
        } catch {
            // Nobody will read init's report, and destroy waits for one.
            container.started.settle(.success(error))
            throw error
        }
        Task(executorPreference: reactor) { await self.awaitStart(of: id, process) }
        log.info("running", metadata: ["container": "\(id.text)", "pid": "\(process.pid)"])
    }

    /// Everything up to the plan; the container is prepared then.
    func prepare(
        _ container: Container, environment: [String: String], stage: Stage?
    ) async throws(ContainerError) -> LaunchPlan {
        let id = container.id
        if id.parent != nil { try await parentRuns(container) }
        let root = try await provision(container)
        let user = try await identity(of: container)
        try giveSandbox(of: container, to: user)
        try await step(.launch, "checkpoint config", of: container) {
            try runtime.write(container.config, to: .config, of: id)
        }
        try advance(container)
        let contributions = try await prepare(container)

        let parent = id.parent.flatMap { table[$0] }
        let plan = try LaunchPlan(
            container.config, environment: environment, root: root, contributions: contributions, stage: stage,
            parent: parent.map { LaunchPlan.Parent(config: $0.config, launchInfo: $0.launchInfo) },
            user: user, sandboxMountPoint: configuration.sandboxMountPoint)
        container.launchInfo = plan.launchInfo
        return plan
    }

    private func parentRuns(_ container: Container) async throws(ContainerError) {
        do {
            try await step(.launch, "await parent", of: container) { try await awaitParent(of: container) }
        } catch {
            // Rather than that the wait was cancelled.
            try stillWanted(container)
            throw error
        }
        try stillWanted(container)
    }

    private func provision(_ container: Container) async throws(ContainerError) -> Gantry.Init.V1.Step.Kind? {
        guard let image = container.config.containerInfo?.mesos?.image else { return nil }
        let id = container.id
        let provisioned = try await step(.launch, "provision", of: container) {
            try await provisioner.provision(id, image)
        }
        container.config.rootfs = provisioned.rootfs
        container.config.ephemeralVolumes += provisioned.ephemeralVolumes
        return provisioned.root
    }

    /// A sandbox that was made here belongs to the container's user.
    private func giveSandbox(of container: Container, to user: UserIdentity?) throws(ContainerError) {
        guard let user, container.ownsSandbox || container.id.parent != nil else { return }
        do {
            let sandbox = try sandboxes.open(container.id, at: container.config.directory)
            try sandbox.duplicateDescriptor().setOwner(user: user.uid, group: user.gid, path: sandbox.path)
        } catch {
            throw ContainerError(error, step: "making the container's sandbox")
        }
    }

    /// One isolator after the other; a destroy that came in between ends the chain.
    private func prepare(_ container: Container) async throws(ContainerError) -> [NamedContribution] {
        var contributions: [NamedContribution] = []
        let id = container.id
        let config = container.config
        let ancestors = ancestors(of: id)
        for isolator in isolators(for: id) {
            let contribution = try await step(.launch, "prepare (isolator \(isolator.name))", of: container) {
                try await isolator.prepare(id, config, within: ancestors)
            }
            if let contribution {
                contributions.append(NamedContribution(isolator: isolator.name, contribution: contribution))
            }
            try stillWanted(container)
        }
        return contributions
    }

    /// Reaping begins with the process: whatever fails after this, its exit is seen.
    private func fork(_ container: Container, _ plan: LaunchPlan) async throws(ContainerError)
        -> any ContainerProcess
    {
        let id = container.id
        let directory = container.config.directory
        let process = try await step(.launch, "fork", of: container) {
            let request = ForkRequest(
                namespaces: plan.namespaces, enters: plan.enters, entersTask: plan.entersTask,
                takesStage: plan.takesStage,
                plan: try plan.plan.encoded(), cgroup1Directories: plan.cgroup1Directories,
                sandbox: try sandboxes.open(id, at: directory), statusFile: runtime.path(of: .status, of: id))
            return try await launcher.fork(id, request)
        }
        container.process = process
        container.exit = Task(executorPreference: reactor) { try await self.reap(id, process) }
        container.forked.settle(.success(()))
        return process
    }

    /// All isolators at once, all awaited; their watches begin before, so that no limit is broken unseen.
    private func isolate(_ container: Container, pid: Int32) async throws(ContainerError) {
        let id = container.id
        let isolators = isolators(for: id)
        container.watches = isolators.filter(\.watches).map { isolator in
            Task(executorPreference: reactor) { await self.watch(id, isolator) }
        }
        try await step(.launch, "isolate", of: container) {
            for isolator in isolators { try await isolator.isolate(id, pid: pid) }
        }
    }

    /// Moves the life cycle on, unless destroy came first.
    private func advance(_ container: Container) throws(ContainerError) {
        switch container.lifecycle.onStepDone() {
        case .proceed: container.stateSince = .now
        case .overtaken, .invalid: throw Self.overtaken(container)
        }
        try stillWanted(container)
    }

    private func stillWanted(_ container: Container) throws(ContainerError) {
        if container.lifecycle.state == .destroying { throw Self.overtaken(container) }
        if Task.isCancelled {
            throw ContainerError(
                .cancelled, code: "cancelled", "the launch of \(container.id.text) was cancelled", step: "launch",
                subject: container.id.text)
        }
    }

    private static func overtaken(_ container: Container) -> ContainerError {
        let phase = container.lifecycle.destroyedIn?.rawValue ?? container.lifecycle.state.rawValue
        return ContainerError(
            .aborted, code: "launch.destroyed", "\(container.id.text) is being destroyed while \(phase)",
            step: "launch", subject: container.id.text)
    }
}
