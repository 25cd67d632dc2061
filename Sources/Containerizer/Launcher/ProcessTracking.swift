// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import SystemPackage
import Wire

/// How a container's processes are found and killed.
protocol ProcessTracking: Sendable {
    /// The cgroup that holds all of the container's processes, itself or below it.
    func top(_ id: Mesos.ContainerID) -> CgroupDirectory

    /// Makes the container's tracking cgroup, or takes the one that is there.
    func begin(_ id: Mesos.ContainerID) throws(SystemError) -> TrackingCgroup

    /// Sends SIGKILL to every process of the container.
    func kill(_ id: Mesos.ContainerID) async throws

    /// Returns when the cgroup has no process left.
    func waitUntilEmpty(_ id: Mesos.ContainerID) async throws

    /// Removes the cgroup and what is below it, and waits for processes that are on their way out. Blocks.
    func end(_ id: Mesos.ContainerID) throws(SystemError)

    /// All containers that have a tracking cgroup. Blocks.
    func containers() throws(SystemError) -> [Mesos.ContainerID]

    /// Which processes are left, for an error message.
    func describe(_ id: Mesos.ContainerID) -> String
}

/// The cgroup that a container's first process is born into or joins.
enum TrackingCgroup: Sendable {
    /// A cgroup2 directory for CLONE_INTO_CGROUP.
    case bornInto(CgroupDirectory)
    /// A version 1 directory, joined by way of its `tasks` file.
    case joins(CgroupDirectory)
}

extension ProcessTracking {
    /// The containers among the cgroups of one hierarchy.
    func containers(of layout: CgroupLayout, mount: String) throws(SystemError) -> [Mesos.ContainerID] {
        var ids: [Mesos.ContainerID] = []
        let root = CgroupDirectory("\(mount)/\(layout.root)")
        for cgroup in try root.children() {
            let relative = String(cgroup.path.dropFirst(mount.utf8.count + 1))
            if let id = layout.container(at: relative) { ids.append(id) }
        }
        return ids
    }
}

extension CgroupDirectory {
    /// The processes in the cgroup and below it.
    fileprivate func allProcesses() throws(SystemError) -> [Int32] {
        var pids = try processes()
        for cgroup in try descendants() { pids += try cgroup.processes() }
        return pids
    }
}

private func processesLeft(in cgroup: CgroupDirectory) -> String {
    let pids = (try? cgroup.allProcesses()) ?? []
    return pids.isEmpty ? "no process is listed" : "pids \(pids.prefix(16).map(String.init).joined(separator: ", "))"
}

/// cgroup2, with or without controllers.
struct UnifiedTracking: ProcessTracking {
    let mount: String
    let layout: CgroupLayout
    /// Processes live in `<id>/leaf`, because `<id>` has controllers.
    let leaves: Bool
    let reactor: Reactor

    func top(_ id: Mesos.ContainerID) -> CgroupDirectory {
        CgroupDirectory("\(mount)/\(layout.path(id))")
    }

    func begin(_ id: Mesos.ContainerID) throws(SystemError) -> TrackingCgroup {
        let directory = leaves ? CgroupDirectory("\(mount)/\(layout.leaf(id))") : top(id)
        try directory.createWithParents()
        return .bornInto(directory)
    }

    func kill(_ id: Mesos.ContainerID) async throws {
        let top = top(id)
        guard try top.isPopulated() == true else { return }
        do {
            try top.kill()
        } catch  where error.errno == .noSuchFileOrDirectory {
            guard top.exists else { return }
            try Freezing(cgroup2: top).signalAll()
        }
    }

    func waitUntilEmpty(_ id: Mesos.ContainerID) async throws {
        let top = top(id)
        guard try top.isPopulated() == true else { return }
        let events = try WatchedControlFile(top.file("cgroup.events"))
        while let text = try events.readIfPresent(), FlatKeyed(text)["populated"] != 0 {
            try await reactor.changed(events.raw)
        }
    }

    func end(_ id: Mesos.ContainerID) throws(SystemError) {
        try top(id).removeTree(deadline: .now + .seconds(5))
    }

    func containers() throws(SystemError) -> [Mesos.ContainerID] {
        try containers(of: layout, mount: mount)
    }

    func describe(_ id: Mesos.ContainerID) -> String {
        processesLeft(in: top(id))
    }
}

/// The freezer of cgroup version 1.
struct FreezerTracking: ProcessTracking {
    let mount: String
    let layout: CgroupLayout
    let reactor: Reactor

    func top(_ id: Mesos.ContainerID) -> CgroupDirectory {
        CgroupDirectory("\(mount)/\(layout.path(id))")
    }

    func begin(_ id: Mesos.ContainerID) throws(SystemError) -> TrackingCgroup {
        try top(id).createWithParents()
        return .joins(top(id))
    }

    func kill(_ id: Mesos.ContainerID) async throws {
        let top = top(id)
        guard top.exists else { return }
        try Freezing(version1: top).signalAll()
    }

    /// Version 1 announces nothing: each process is waited for, until none is listed.
    func waitUntilEmpty(_ id: Mesos.ContainerID) async throws {
        let top = top(id)
        var pids = try top.allProcesses()
        while let pid = pids.first {
            if let process = try ProcessDescriptor.ifAlive(pid) {
                try? process.signal(9)
                try await reactor.readable(process.raw)
            }
            pids = try top.allProcesses()
        }
    }

    func end(_ id: Mesos.ContainerID) throws(SystemError) {
        try top(id).removeTree(deadline: .now + .seconds(5))
    }

    func containers() throws(SystemError) -> [Mesos.ContainerID] {
        try containers(of: layout, mount: mount)
    }

    func describe(_ id: Mesos.ContainerID) -> String {
        processesLeft(in: top(id))
    }
}

/// Kills a cgroup's processes while they cannot fork: freeze, SIGKILL to each, thaw.
struct Freezing {
    private let cgroup: CgroupDirectory
    private let file: String
    private let frozen: String
    private let thawed: String

    init(version1 cgroup: CgroupDirectory) {
        (self.cgroup, file, frozen, thawed) = (cgroup, "freezer.state", "FROZEN", "THAWED")
    }

    /// For kernels before 5.14, which have no cgroup.kill.
    init(cgroup2 cgroup: CgroupDirectory) {
        (self.cgroup, file, frozen, thawed) = (cgroup, "cgroup.freeze", "1", "0")
    }

    func signalAll() throws {
        try cgroup.write(file, frozen)
        defer { try? cgroup.write(file, thawed) }
        for pid in try cgroup.allProcesses() {
            if let process = try ProcessDescriptor.ifAlive(pid) { try process.signal(9) }
        }
    }
}
