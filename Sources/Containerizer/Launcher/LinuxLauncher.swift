// SPDX-License-Identifier: Apache-2.0

public import Core
public import Kernel
public import Reactor
import SystemPackage
public import Wire

/// Clones containers into a cgroup of their own, and kills them by it: whatever a container forks, the cgroup knows.
///
/// The cgroup is, by what the machine has mounted: in cgroup2 the leaf that the cgroups isolator made, with
/// CLONE_INTO_CGROUP and cgroup.kill; beside version 1 controllers a cgroup2 cgroup without controllers; with version 1
/// alone a freezer cgroup, which is frozen while its processes get their signal.
public actor LinuxLauncher: Launcher {
    public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

    private let reactor: Reactor
    private let pool: BlockingPool
    private let spawner: Spawner
    private let tracking: any ProcessTracking
    private var processes: [Mesos.ContainerID: InitProcess] = [:]

    /// - Throws: `launcher.no-cgroups` when nothing is mounted that could track processes.
    public init(
        reactor: Reactor, pool: BlockingPool, spawner: Spawner, mounts: CgroupMounts, layout: CgroupLayout
    ) throws(ContainerError) {
        self.reactor = reactor
        self.pool = pool
        self.spawner = spawner
        if let unified = mounts.unified {
            tracking = UnifiedTracking(mount: unified, layout: layout, leaves: mounts.mode == .v2, reactor: reactor)
        } else if let freezer = mounts.hierarchies["freezer"] {
            tracking = FreezerTracking(mount: freezer, layout: layout, reactor: reactor)
        } else {
            throw ContainerError(
                .failedPrecondition, code: "launcher.no-cgroups",
                "neither cgroup2 nor the freezer hierarchy is mounted", step: "start", subject: "/sys/fs/cgroup",
                hint: "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        }
    }

    public func fork(_ id: Mesos.ContainerID, _ request: ForkRequest) async throws -> any ContainerProcess {
        // At once, as the cgroups isolator does: a hop costs more than these calls (docs/adr/0007).
        let files = try ForkFiles(request, tracking: tracking.begin(id))
        let control = try SocketPair(.stream)
        let parent = try request.enters == 0 ? nil : self.parent(of: id)
        let task = try request.entersTask ? CommandTask.find(below: parent?.pid ?? 0) : nil
        let target = task?.descriptor ?? parent?.descriptor
        let clone = SpawnRequest(
            namespaces: request.namespaces, enters: request.enters, hasCgroup: files.cgroup != nil,
            takesStage: request.takesStage, tasks: files.tasks.count)
        // Before the clone, so that init need not wait for it.
        let unsent = try InitProcess.send(InitProcess.message(plan: request.plan), on: control.own)
        let cloned = try await spawner.clone(clone, [control.theirs] + files.descriptors(entering: target))
        // Open until it is sent.
        withExtendedLifetime(task) {}
        let pidfd = ProcessDescriptor(owning: Descriptor(owning: cloned.pidfd), pid: cloned.pid)
        let process = InitProcess(
            pid: cloned.pid, process: pidfd, control: control.keepOurs(), unsent: unsent, reactor: reactor)
        processes[id] = process
        return process
    }

    /// By its descriptor: a process that has ended is not entered, whoever has its number.
    private func parent(of id: Mesos.ContainerID) throws -> InitProcess {
        guard let parent = id.parent, let process = processes[parent] else {
            throw ContainerError(
                .failedPrecondition, code: "launch.parent-without-process",
                "the first process of \(id.parent?.text ?? id.text) is not known", step: "fork", subject: id.text,
                hint: "launch it in another container")
        }
        return process
    }

    public func destroy(_ id: Mesos.ContainerID) async throws {
        let (process, tracking) = (processes[id], tracking)
        // What ended by itself needs no kill, and nothing that watches over the time.
        if process?.hasEnded != false, try tracking.top(id).isPopulated() == false { return }
        try await within(.seconds(60), reactor) {
            // Until it has joined its cgroup the first process is known by its pidfd alone.
            try? process?.signal(9)
            try await tracking.kill(id)
            try await process?.ended()
            try await tracking.waitUntilEmpty(id)
        } otherwise: {
            ContainerError(
                .internal, code: "launcher.processes-left",
                "could not kill all processes of \(id.text) within 60 s: \(tracking.describe(id))", step: "kill",
                subject: id.text,
                hint: "a process that does not die waits in the kernel, often for a disk or a network file system")
        }
    }

    public func cleanup(_ id: Mesos.ContainerID) async throws {
        if try !tracking.top(id).removeIfEmpty() {
            let tracking = tracking
            try await pool.run { try tracking.end(id) }
        }
        processes[id] = nil
    }

    public func recover() async throws -> [Mesos.ContainerID] {
        let tracking = tracking
        return try await pool.run { try tracking.containers() }
    }
}

/// Runs the body, and cancels it when the time is up.
private func within(
    _ limit: Duration, _ reactor: Reactor, _ body: @escaping @Sendable () async throws -> Void,
    otherwise error: @escaping @Sendable () -> ContainerError
) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
            try await body()
            return true
        }
        group.addTask {
            try await reactor.wait(until: .now + limit)
            return false
        }
        defer { group.cancelAll() }
        if try await group.next() == false { throw error() }
    }
}
