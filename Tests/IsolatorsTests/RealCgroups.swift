// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import Reactor
import Synchronization
import Testing
import Wire

@testable import Isolators

/// The cgroups isolator on this machine's own cgroups, below a root that only this object uses.
final class RealCgroups: Sendable {
    static let mounts = try? CgroupMounts.detect()
    static var isRoot: Bool { geteuid() == 0 }
    /// Whether the controllers of version 1 that the isolator needs are mounted, and writable.
    static var hasVersion1: Bool {
        guard isRoot, let mounts, mounts.mode != .v2 else { return false }
        return ["cpu", "cpuacct", "memory", "pids"].allSatisfy { mounts.hierarchies[$0] != nil }
    }
    static var hasVersion2: Bool { isRoot && mounts?.mode == .v2 }

    private static let count = Atomic<Int>(0)

    let id = Mesos.ContainerID(value: "web")
    let mounts: CgroupMounts
    let layout: CgroupLayout
    let reactor: Reactor
    let pool = BlockingPool(threads: 4)
    private let environment: IsolatorEnvironment

    init() throws {
        mounts = try #require(Self.mounts)
        let number = Self.count.add(1, ordering: .relaxed).newValue
        layout = try CgroupLayout(root: "gantry-test-\(getpid())-\(number)")
        reactor = try Reactor()
        try reactor.start()
        environment = IsolatorEnvironment(
            reactor: reactor, pool: pool, cgroups: mounts, settings: IsolatorSettings(cgroupLayout: layout))
    }

    deinit {
        reactor.stop()
        pool.shutdown()
        let places = mounts.mode == .v2 ? [mounts.unified ?? ""] : Array(Set(mounts.hierarchies.values))
        for place in places {
            try? CgroupDirectory("\(place)/\(layout.root)").removeTree(deadline: .now.advanced(by: .seconds(5)))
        }
    }

    /// An isolator as the daemon makes it at its start.
    func isolator(_ names: String = "cgroups/all") async throws -> any Isolator {
        let isolator = try #require(try IsolatorRegistry.make(names, environment).first)
        try await isolator.recover(leftovers: [])
        return isolator
    }

    func directory(_ controller: String) throws -> CgroupDirectory {
        try #require(mounts.directory(controller, layout.path(id)))
    }

    /// The files through which a process joins the container.
    func joinFiles() throws -> [String] {
        if mounts.mode == .v2 { return ["\(try #require(mounts.unified))/\(layout.leaf(id))/cgroup.procs"] }
        return try ["cpu", "cpuacct", "memory", "pids"].map { try directory($0).file("tasks") }
    }

    /// Starts a shell command inside the container's cgroups.
    func start(_ command: String) throws -> pid_t {
        try start(joining: joinFiles(), command)
    }

    func start(joining files: [String], _ command: String) throws -> pid_t {
        let joins = files.map { "echo 0 > '\($0)' && " }.joined()
        return try spawn(["/bin/sh", "-c", joins + command])
    }

    /// The wait status.
    func wait(_ pid: pid_t) async throws -> Int32 {
        try await pool.run {
            var status: Int32 = 0
            try systemCall("waitpid", "pid \(pid)") { waitpid(pid, &status, 0) }
            return status
        }
    }

    private func spawn(_ words: [String]) throws -> pid_t {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], nil, nil, &arguments, environ)
        try #require(code == 0)
        return pid
    }
}
