// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import Synchronization
import SystemPackage
import Wire

/// Owns the containers' cgroups and calls its controllers with them (isolators.md sections 3 and 4).
///
/// What a container has is what is in the kernel: nothing is remembered, so that `cleanup` and `update` work the same
/// for a container of a daemon that died. (The one thing that is remembered is which containers run a command task.)
final class CgroupsIsolator: Isolator {
    let name = "cgroups"
    let watches: Bool

    let placement: CgroupPlacement
    private let controllers: [any CgroupController]
    private let delegation: CgroupDelegation?
    private let pool: BlockingPool
    /// Whether `usage` counts processes and threads.
    private let counts: Bool
    /// The part of the containers' view that is the same for all.
    let shared: [Gantry.Init.V1.Step.Kind]
    private let commandTasks = Mutex<Set<Mesos.ContainerID>>([])

    init(
        mounts: CgroupMounts, layout: CgroupLayout, controllers: [any CgroupController], pool: BlockingPool,
        counts: Bool
    ) {
        self.controllers = controllers
        self.pool = pool
        self.counts = counts
        let names = controllers.map(\.name)
        placement = CgroupPlacement(mounts: mounts, layout: layout, controllers: names)
        delegation = mounts.unified.flatMap { mount in
            mounts.mode == .v2 ? CgroupDelegation(mount: CgroupDirectory(mount), controllers: names) : nil
        }
        watches = controllers.contains { $0.watches }
        shared = placement.sharedViewSteps
    }

    var stage: Stage { Stage(steps: shared) }

    // MARK: Life of a container

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        try await prepare(id, config, within: [])
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, within ancestors: [Mesos.Slave.ContainerConfig]
    ) async throws -> Contribution? {
        if let sharing = try sharing(id, config, within: ancestors) { return sharing }
        let request = try CgroupRequest(requests: config.resources, limits: config.limits)
        if config.taskInfo != nil { _ = commandTasks.withLock { $0.insert(id) } }
        try atOnce { try create(id, request) }

        let limits = placement.isVersion2 ? [] : placement.limits(id).map(\.path)
        return Contribution(
            launchInfo: .init(cloneNamespaces: config.rootfs == nil ? [] : [Namespace.mount]),
            steps: config.rootfs == nil ? [] : shared + placement.viewSteps(id), cgroup1Directories: limits)
    }

    /// Blocks.
    private func create(_ id: Mesos.ContainerID, _ request: CgroupRequest) throws {
        for directory in placement.limits(id) {
            guard let parent = directory.parent else { continue }
            try Self.create(directory, below: parent)
            // The parent may be new, and it costs one read when it is not.
            try delegation?.enable(downTo: parent)
        }
        for controller in controllers {
            guard let directory = placement.directory(controller.name, id) else { continue }
            try controller.apply(request, to: directory, launching: true)
        }
        if let delegation, let leaf = placement.leaf(id) {
            for directory in placement.limits(id) { try delegation.enable(at: directory) }
            try leaf.create()
        }
    }

    static func create(_ directory: CgroupDirectory, below parent: CgroupDirectory) throws {
        do {
            try directory.create()
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory:
                // The first nested container of its parent; or somebody removed Gantry's own cgroup since the start.
                try parent.createWithParents()
                try directory.create()
            case .fileExists:
                throw ContainerError(
                    .failedPrecondition, code: "cgroup.exists", "the cgroup \(directory.path) exists already",
                    subject: directory.path, errno: error.errno.rawValue,
                    hint: "another daemon uses this --cgroups-root, or a container's remains are there")
            default: throw error
            }
        }
    }

    func isolate(_ id: Mesos.ContainerID, pid: Int32) async throws {
        let isCommandTask = commandTasks.withLock { $0.contains(id) }
        guard isCommandTask || id.parent != nil, ownsCgroups(id),
            let memory = controllers.lazy.compactMap({ $0 as? Cgroup1Memory }).first,
            let directory = placement.directory(memory.name, id)
        else { return }
        try await onPool { _ in
            guard let adjustment = try memory.oomScoreAdjustment(directory, totalMemory: MachineMemory.total())
            else { return }
            try ControlFile.write("/proc/\(pid)/oom_score_adj", "\(adjustment)")
        }
    }

    func cleanup(_ id: Mesos.ContainerID) async throws {
        let isGone = try atOnce { try placement.limits(id).reduce(true) { try $1.removeIfEmpty() && $0 } }
        // What is still busy is waited for.
        if !isGone { try await onPool { try $0.remove(id) } }
        _ = commandTasks.withLock { $0.remove(id) }
    }

    /// Blocks. Each cgroup is tried, whatever happened to the ones before it.
    private func remove(_ id: Mesos.ContainerID) throws(SystemError) {
        // No process is left, so this waits for the kernel only.
        let deadline = ContinuousClock.now.advanced(by: .seconds(5))
        var failure: SystemError?
        for directory in placement.limits(id) {
            do {
                try directory.removeTree(deadline: deadline)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    func recover(leftovers: [Mesos.ContainerID]) async throws {
        try await onPool { isolator in
            for root in isolator.placement.roots {
                try root.createWithParents()
                try isolator.delegation?.enable(downTo: root)
            }
            for controller in isolator.controllers {
                guard let root = isolator.placement.rootDirectory(controller.name) else { continue }
                try controller.check(root: root)
            }
        }
    }

    // MARK: Limits

    func watch(_ id: Mesos.ContainerID) async throws -> Mesos.Slave.ContainerLimitation {
        // One controller watches: memory. A second would need a race here.
        guard ownsCgroups(id), let controller = controllers.first(where: { $0.watches }),
            let directory = placement.directory(controller.name, id), directory.exists
        else { try await pendUntilCancelled() }
        return try await controller.watch(directory)
    }

    func limitation(_ id: Mesos.ContainerID) async -> Mesos.Slave.ContainerLimitation? {
        guard ownsCgroups(id) else { return nil }
        for controller in controllers {
            guard let directory = placement.directory(controller.name, id) else { continue }
            if let limitation = try? controller.limitation(directory) { return limitation }
        }
        return nil
    }

    func update(
        _ id: Mesos.ContainerID, requests: [Mesos.Resource], limits: [String: Mesos.Value.Scalar]
    ) async throws {
        let request = try CgroupRequest(requests: requests, limits: limits)
        try await onPool { isolator in
            try isolator.requireCgroups(id)
            for controller in isolator.controllers {
                guard let directory = isolator.placement.directory(controller.name, id) else { continue }
                try controller.apply(request, to: directory, launching: false)
            }
        }
    }

    // MARK: Measures

    func usage(_ id: Mesos.ContainerID) async throws -> Mesos.ResourceStatistics? {
        // Those of the containers around it are not its own.
        guard ownsCgroups(id) else { return nil }
        return try await onPool { isolator in
            try isolator.requireCgroups(id)
            var statistics = Mesos.ResourceStatistics(timestamp: WallClock.seconds())
            for controller in isolator.controllers {
                guard let directory = isolator.placement.directory(controller.name, id) else { continue }
                // What cannot be read is left out; the rest is still worth having.
                try? controller.measure(directory, into: &statistics)
            }
            if isolator.counts, let cgroup = isolator.placement.leaf(id) ?? isolator.placement.limits(id).first {
                let threads = isolator.placement.isVersion2 ? "cgroup.threads" : "tasks"
                try? ProcessCount.measure(cgroup, threads: threads, into: &statistics)
            }
            return statistics
        }
    }

    private func requireCgroups(_ id: Mesos.ContainerID) throws {
        guard let missing = placement.limits(id).first(where: { !$0.exists }) else { return }
        throw ContainerError(
            .notFound, code: "cgroup.not-found", "the container has no cgroup \(missing.path)", subject: missing.path)
    }

    /// A few calls of some 50 microseconds each, on the caller's thread: a hop to the pool and back costs as much on an
    /// idle machine, and milliseconds on a busy one (docs/adr/0007).
    func atOnce<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as SystemError {
            throw ContainerError(cgroup: error)
        }
    }

    /// One hop for all that waits; kernel errors get the meaning that they have in cgroupfs.
    private func onPool<Value: Sendable>(
        _ body: @escaping @Sendable (CgroupsIsolator) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.run { try body(self) }
        } catch let error as SystemError {
            throw ContainerError(cgroup: error)
        }
    }
}

extension ContainerError {
    /// mkdir(2) in cgroupfs fails with ENOSPC and EAGAIN when a kernel table is full, which has nothing to do with disks.
    init(cgroup error: SystemError) {
        self.init(error)
        guard error.operation == "mkdir", error.errno == .noSpace || error.errno == .resourceTemporarilyUnavailable
        else {
            return
        }
        kind = .resourceExhausted
        code = "cgroup.exhausted"
        hint = "the kernel takes no more cgroups: see cgroup.max.descendants and the limit of 65535 memory cgroups"
    }
}
