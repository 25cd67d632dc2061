// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import Wire

/// Version 1's `memory` (isolators.md 3.5). Swap stays as the machine has it.
struct Cgroup1Memory: CgroupController {
    let name = "memory"
    let watches = true
    let reactor: Reactor

    /// Containers inherit a switched-off OOM killer; then nothing would end a container that is out of memory.
    func check(root: CgroupDirectory) throws {
        guard FlatKeyed(try root.read("memory.oom_control"))["oom_kill_disable"] != 0 else { return }
        try root.write("memory.oom_control", "0")
    }

    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws {
        if let soft = try launching ? request.memory : CgroupRequest.require(request.memory, "mem") {
            try cgroup.write("memory.soft_limit_in_bytes", "\(soft)")
        }
        guard let hard = request.hardMemoryLimit else { return }
        let current = launching ? nil : UInt64(controlValue: try cgroup.read("memory.limit_in_bytes"))
        guard shouldWriteHardLimit(hard, current: current, launching: launching) else { return }
        try cgroup.write("memory.limit_in_bytes", hard == .max ? "-1" : "\(hard)")
    }

    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws {
        statistics.memTotalBytes = UInt64(controlValue: try cgroup.read("memory.usage_in_bytes"))
        statistics.memKmemUsageBytes = try cgroup.readIfPresent("memory.kmem.usage_in_bytes")
            .flatMap(UInt64.init(controlValue:))
        statistics.memKmemTcpUsageBytes = try cgroup.readIfPresent("memory.kmem.tcp.usage_in_bytes")
            .flatMap(UInt64.init(controlValue:))
        let stat = FlatKeyed(try cgroup.read("memory.stat"))
        statistics.memFileBytes = stat["total_cache"]
        statistics.memCacheBytes = stat["total_cache"]
        statistics.memAnonBytes = stat["total_rss"]
        statistics.memRssBytes = stat["total_rss"]
        statistics.memMappedFileBytes = stat["total_mapped_file"]
        statistics.memSwapBytes = stat["total_swap"]
        statistics.memUnevictableBytes = stat["total_unevictable"]
    }

    func watch(_ cgroup: CgroupDirectory) async throws -> Mesos.Slave.ContainerLimitation {
        let counter = try EventCounter()
        try cgroup.notify(counter, of: "memory.oom_control")
        // What happened before the registration is in the counters only.
        if let limitation = try limitation(cgroup) { return limitation }
        while true {
            try await reactor.readable(counter.raw)
            counter.reset()
            if let limitation = try find(cgroup, afterEvent: true) { return limitation }
            // The removal of the cgroup is an event too.
            if !cgroup.exists { try await pendUntilCancelled() }
        }
    }

    func limitation(_ cgroup: CgroupDirectory) throws -> Mesos.Slave.ContainerLimitation? {
        try find(cgroup, afterEvent: false)
    }

    /// The event comes just before the kill is counted, and to all cgroups below the one that ran out of memory. So it
    /// counts only if this cgroup has hit its own limit; a kill that came from above shows in the counter.
    private func find(
        _ cgroup: CgroupDirectory, afterEvent: Bool
    ) throws -> Mesos.Slave.ContainerLimitation? {
        guard let control = try cgroup.readIfPresent("memory.oom_control"),
            let failures = try cgroup.readIfPresent("memory.failcnt"),
            let limit = try cgroup.readIfPresent("memory.limit_in_bytes"),
            let peak = try cgroup.readIfPresent("memory.max_usage_in_bytes")
        else { return nil }
        let hitLimit = UInt64(controlValue: failures) != 0
        let killed = (FlatKeyed(control)["oom_kill"] ?? 0) > 0
        guard killed || (afterEvent && hitLimit) else { return nil }
        return MemoryLimitation(
            cause: hitLimit ? .ownLimit : .outside, limit: UInt64(controlValue: limit) ?? .max,
            peak: UInt64(controlValue: peak) ?? 0, cgroup: cgroup
        ).message
    }
}

extension Cgroup1Memory {
    /// The OOM killer's adjustment for a container that may use more than it asked for: the less it asked for, the
    /// sooner it goes when the machine itself is out of memory. Nil where the contract leaves 0.
    func oomScoreAdjustment(_ cgroup: CgroupDirectory, totalMemory: UInt64) throws -> Int? {
        guard let soft = UInt64(controlValue: try cgroup.read("memory.soft_limit_in_bytes")),
            let hard = UInt64(controlValue: try cgroup.read("memory.limit_in_bytes")), soft < hard, totalMemory > 0
        else { return nil }
        let share = 1000 * Double(soft) / Double(totalMemory)
        return 1000 - Int(min(1000, share))
    }
}
