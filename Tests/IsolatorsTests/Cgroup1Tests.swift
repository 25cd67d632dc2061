// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import Testing
import Wire

@testable import Isolators

/// On the real version 1 hierarchies of this machine.
@Suite(.enabled(if: RealCgroups.hasVersion1, "needs root and version 1 hierarchies of cpu, cpuacct, memory and pids"))
struct Cgroup1Tests {
    private let cgroups: RealCgroups

    init() throws {
        cgroups = try RealCgroups()
    }

    @Test func limitsAreTheKernels() async throws {
        let isolator = try await cgroups.isolator()
        let config = Mesos.Slave.ContainerConfig.plain(
            rootfs: "/r", resources: CgroupChecks.requests, limits: ["cpus": 1.5, "mem": 128])
        let contribution = try #require(try await isolator.prepare(cgroups.id, config))
        let (cpu, memory, pids) = (
            try cgroups.directory("cpu"), try cgroups.directory("memory"), try cgroups.directory("pids")
        )
        #expect(try cpu.read("cpu.shares") == "512\n")
        #expect(try cpu.read("cpu.cfs_quota_us") == "150000\n")
        #expect(try memory.read("memory.soft_limit_in_bytes") == "67108864\n")
        #expect(try memory.read("memory.limit_in_bytes") == "134217728\n")
        #expect(try pids.read("pids.max") == "32\n")

        let directories = Set(["cpu", "cpuacct", "memory", "pids"].compactMap { try? cgroups.directory($0).path })
        #expect(Set(contribution.cgroup1Directories) == directories)
        #expect(contribution.cgroup1Directories.count == directories.count)
        // Read-only, nosuid, nodev, noexec.
        let name = try #require(memory.parent?.parent?.name)
        #expect(contribution.steps.map(\.line).contains("bind \(memory.path) /sys/fs/cgroup/\(name) 15 rec"))

        try await isolator.update(
            cgroups.id, requests: [.scalar("cpus", 2), .scalar("mem", 48)], limits: .limits(["mem": 48]))
        #expect(try cpu.read("cpu.shares") == "2048\n")
        #expect(try memory.read("memory.soft_limit_in_bytes") == "50331648\n")
        #expect(try memory.read("memory.limit_in_bytes") == "134217728\n")
        #expect(try pids.read("pids.max") == "max\n")
        try await isolator.cleanup(cgroups.id)
        for directory in directories { #expect(!CgroupDirectory(directory).exists) }
    }

    /// A command task that may use more than it asked for goes first when the machine is out of memory.
    @Test func theOOMScoreOfACommandTask() async throws {
        let isolator = try await cgroups.isolator()
        var config = Mesos.Slave.ContainerConfig.plain(resources: CgroupChecks.requests, limits: ["mem": 128])
        config.taskInfo = Mesos.TaskInfo(
            name: "t", taskID: .init(value: "t"), slaveID: .init(value: "s"))
        _ = try await isolator.prepare(cgroups.id, config)
        let ready = try Ready()
        let pid = try cgroups.start("echo > '\(ready.path)' && exec sleep 1000")
        try await ready.wait(cgroups)
        try await isolator.isolate(cgroups.id, pid: pid)
        let score = UInt64(controlValue: try ControlFile.read("/proc/\(pid)/oom_score_adj"))
        let expected = 1000 - 1000 * (64 << 20) / MachineMemory.total()
        #expect(score == expected || score == expected + 1)
        kill(pid, SIGKILL)
        _ = try await cgroups.wait(pid)
        try await isolator.cleanup(cgroups.id)
    }

    @Test func withoutAnImageThereIsNothingToMount() async throws {
        let isolator = try await cgroups.isolator("cgroups/mem")
        let contribution = try #require(
            try await isolator.prepare(cgroups.id, .plain(resources: CgroupChecks.requests)))
        #expect(contribution.steps.isEmpty)
        #expect(contribution.launchInfo == .init())
        #expect(contribution.cgroup1Directories == [try cgroups.directory("memory").path])
        try await isolator.cleanup(cgroups.id)
    }

    @Test func theRootIsMadeAgain() async throws {
        let isolator = try await cgroups.isolator()
        for controller in ["cpu", "cpuacct", "memory", "pids"] {
            try cgroups.directory(controller).parent?.removeTree(deadline: .now)
        }
        _ = try await isolator.prepare(cgroups.id, .plain(resources: CgroupChecks.requests))
        #expect(try cgroups.directory("memory").exists)
        try await isolator.cleanup(cgroups.id)
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
