// SPDX-License-Identifier: Apache-2.0

public import Wire

/// One aspect of a container that is kept apart from the host: a cgroup controller, a namespace, the file system.
///
/// The containerizer calls the hooks in this order for each container: `prepare` (one isolator after the other, in the
/// order of the registry), `watch` and `isolate` (all in parallel), any number of `update`, `usage` and `status`,
/// `limitation`, and at last `cleanup` (one after the other, in reverse order, each even if an earlier one failed).
/// After a failed `prepare` *all* isolators get `cleanup`, so `cleanup` must accept an id that it never saw, and must
/// be safe to repeat.
///
/// Contract: isolators.md 1.1, containerizer.md 3.3.
public protocol Isolator: Sendable {
    /// The name in `--isolation`, e.g. `linux/capabilities`. Names in errors and in `inspect` are the same.
    var name: String { get }

    /// Whether the hooks are called for nested containers.
    var supportsNesting: Bool { get }

    /// Whether the hooks are called for containers without an executor.
    var supportsStandalone: Bool { get }

    /// Whether `watch` can ever return; the containerizer starts no task for isolators that only pend.
    var watches: Bool { get }

    /// The part of what `prepare` contributes that is the same for every usual container, and needs nothing of it.
    var stage: Stage { get }

    /// Before the container's first process exists. What must exist in the kernel by then is made here, after its name
    /// is on disk (the container's runtime directory exists already).
    func prepare(_ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig) async throws -> Contribution?

    /// The same, with the configurations of the containers around a nested one, the direct parent first. For isolators
    /// whose part depends on them; the others have only the shorter form.
    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, within ancestors: [Mesos.Slave.ContainerConfig]
    ) async throws -> Contribution?

    /// The first process exists and waits to be released; `pid` is its id in the daemon's namespace.
    func isolate(_ id: Mesos.ContainerID, pid: Int32) async throws

    /// Returns when the container has broken a limit and must die. Pends otherwise, until it is cancelled. An error
    /// destroys the container too, so an isolator that has nothing to watch pends.
    func watch(_ id: Mesos.ContainerID) async throws -> Mesos.Slave.ContainerLimitation

    /// Asked once, when no process is left and before `cleanup`: a limit that was broken so shortly before the exit
    /// that `watch` could not tell.
    func limitation(_ id: Mesos.ContainerID) async -> Mesos.Slave.ContainerLimitation?

    func update(
        _ id: Mesos.ContainerID, requests: [Mesos.Resource], limits: [String: Mesos.Value.Scalar]
    ) async throws

    /// The fields that this isolator knows; others stay unset.
    func usage(_ id: Mesos.ContainerID) async throws -> Mesos.ResourceStatistics?

    func status(_ id: Mesos.ContainerID) async throws -> Mesos.ContainerStatus?

    /// No process of the container is left. Removes all that `prepare` and `isolate` made. Idempotent.
    func cleanup(_ id: Mesos.ContainerID) async throws

    /// Once at start-up, before any other call: `leftovers` are the containers that a daemon that died left behind.
    /// Afterwards `cleanup` of each must work.
    func recover(leftovers: [Mesos.ContainerID]) async throws
}

/// Most isolators only prepare.
extension Isolator {
    public var supportsNesting: Bool { true }
    public var supportsStandalone: Bool { true }
    public var watches: Bool { false }
    public var stage: Stage { Stage() }
    public func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, within ancestors: [Mesos.Slave.ContainerConfig]
    ) async throws -> Contribution? {
        try await prepare(id, config)
    }
    public func isolate(_ id: Mesos.ContainerID, pid: Int32) async throws {}
    public func watch(_ id: Mesos.ContainerID) async throws -> Mesos.Slave.ContainerLimitation {
        try await pendUntilCancelled()
    }
    public func limitation(_ id: Mesos.ContainerID) async -> Mesos.Slave.ContainerLimitation? { nil }
    public func update(
        _ id: Mesos.ContainerID, requests: [Mesos.Resource], limits: [String: Mesos.Value.Scalar]
    ) async throws {}
    public func usage(_ id: Mesos.ContainerID) async throws -> Mesos.ResourceStatistics? { nil }
    public func status(_ id: Mesos.ContainerID) async throws -> Mesos.ContainerStatus? { nil }
    public func cleanup(_ id: Mesos.ContainerID) async throws {}
    public func recover(leftovers: [Mesos.ContainerID]) async throws {}
}

/// What one isolator adds to a launch.
public struct Contribution: Sendable {
    /// Everything that Mesos's own message can say, merged by the rules of containerizer.md 3.5. Checkpointed.
    public var launchInfo: Mesos.Slave.ContainerLaunchInfo

    /// Steps for init that run after the root is mounted and before the process moves into it, in the order of the
    /// isolators: mounts, devices, links, host name, network. Paths are those inside the container.
    public var steps: [Gantry.Init.V1.Step.Kind]

    /// cgroup v1 directories (absolute host paths) that the first process joins before it does anything else.
    public var cgroup1Directories: [String]

    public init(
        launchInfo: Mesos.Slave.ContainerLaunchInfo = .init(), steps: [Gantry.Init.V1.Step.Kind] = [],
        cgroup1Directories: [String] = []
    ) {
        self.launchInfo = launchInfo
        self.steps = steps
        self.cgroup1Directories = cgroup1Directories
    }
}
