// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Testing
import Wire

@testable import Isolators

/// On the real cgroup2 tree of a machine that has nothing else.
@Suite(.enabled(if: RealCgroups.hasVersion2, "needs root and cgroup2 at /sys/fs/cgroup"))
struct CgroupV2Tests {
    private let cgroups: RealCgroups

    init() throws {
        cgroups = try RealCgroups()
    }

    @Test func limitsAreTheKernels() async throws {
        let isolator = try await cgroups.isolator()
        let config = Mesos.Slave.ContainerConfig.plain(
            rootfs: "/r", resources: CgroupChecks.requests, limits: ["cpus": 1.5, "mem": 128])
        let contribution = try #require(try await isolator.prepare(cgroups.id, config))
        let cgroup = try cgroups.directory("memory")
        let leaf = cgroup.child("leaf")
        #expect(try cgroup.read("cpu.weight") == "50\n")
        #expect(try cgroup.read("cpu.max") == "150000 100000\n")
        #expect(try cgroup.read("memory.low") == "67108864\n")
        #expect(try cgroup.read("memory.max") == "134217728\n")
        #expect(try cgroup.read("memory.oom.group") == "1\n")
        #expect(try cgroup.read("pids.max") == "32\n")
        if cgroup.has("memory.swap.max") { #expect(try cgroup.read("memory.swap.max") == "0\n") }
        #expect(leaf.exists)
        #expect(leaf.has("memory.max"))
        #expect(try leaf.read("cgroup.subtree_control").allSatisfy(\.isWhitespace))

        #expect(contribution.cgroup1Directories.isEmpty)
        #expect(contribution.steps.map(\.line) == ["cgroup namespace", "bind \(leaf.path) /sys/fs/cgroup 15 rec"])

        try await isolator.update(
            cgroups.id, requests: [.scalar("cpus", 2), .scalar("mem", 48)], limits: .limits(["mem": 48]))
        #expect(try cgroup.read("cpu.weight") == "200\n")
        #expect(try cgroup.read("cpu.max") == "max 100000\n")
        #expect(try cgroup.read("memory.low") == "50331648\n")
        #expect(try cgroup.read("memory.max") == "134217728\n")
        #expect(try cgroup.read("pids.max") == "max\n")
        try await isolator.cleanup(cgroups.id)
        #expect(!cgroup.exists)
    }

    @Test func theLauncherHasItsLeafWithoutControllers() async throws {
        let isolator = try await cgroups.isolator("linux/nnp")
        #expect(isolator.name == "cgroups")
        #expect(!isolator.watches)
        _ = try await isolator.prepare(cgroups.id, .plain())
        #expect(try cgroups.directory("any").child("leaf").exists)
        try await isolator.cleanup(cgroups.id)
    }

    @Test func theRootIsMadeAgain() async throws {
        let isolator = try await cgroups.isolator()
        try cgroups.directory("memory").parent?.removeTree(deadline: .now)
        _ = try await isolator.prepare(cgroups.id, .plain(resources: CgroupChecks.requests))
        #expect(try cgroups.directory("memory").read("memory.max") == "67108864\n")
        try await isolator.cleanup(cgroups.id)
    }

    /// A cgroup that holds processes cannot have controllers for its children.
    @Test func processesOnTheWayAreReported() async throws {
        let root = try #require(cgroups.directory("memory").parent)
        try root.createWithParents()
        let ready = try Ready()
        let busy = try cgroups.start(joining: [root.file("cgroup.procs")], "echo > '\(ready.path)' && exec sleep 1000")
        try await ready.wait(cgroups)
        let error = await #expect(throws: ContainerError.self) { try await cgroups.isolator() }
        #expect(error?.code == "cgroup.internal-processes")
        #expect(error?.subject == root.path)
        try root.kill()
        #expect(try await cgroups.wait(busy) & 0x7F == 9)
        try root.waitUntilEmpty(until: .now.advanced(by: .seconds(5)))
        #expect(try root.isPopulated() == false)
    }

    @Test func memoryLimit() async throws { try await CgroupChecks.memoryLimit(cgroups) }
    @Test func usage() async throws { try await CgroupChecks.usage(cgroups) }
    @Test func aWatchEndsWithItsTask() async throws { try await CgroupChecks.aWatchEndsWithItsTask(cgroups) }
    @Test func anUnknownContainer() async throws { try await CgroupChecks.anUnknownContainer(cgroups) }
    @Test func cleanupOfALeftover() async throws { try await CgroupChecks.cleanupOfALeftover(cgroups) }
    @Test func cleanupAfterAProcessThatIsDying() async throws {
        try await CgroupChecks.cleanupAfterAProcessThatIsDying(cgroups)
    }
}
