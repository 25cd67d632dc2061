// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import Wire

/// Version 2's `memory` (isolators.md 4.4), with what the contract's section 19.4 adds: no swap, and a container that
/// is out of memory dies as a whole.
struct Cgroup2Memory: CgroupController {
    let name = "memory"
    let watches = true
    let reactor: Reactor

    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws {
        if launching {
            try cgroup.write("memory.oom.group", "1")
            // Missing where the kernel or its command line has swap accounting off.
            if cgroup.has("memory.swap.max") { try cgroup.write("memory.swap.max", "0") }
        }
        if let soft = try launching ? request.memory : CgroupRequest.require(request.memory, "mem") {
            try cgroup.write("memory.low", "\(soft)")
        }
        guard let hard = request.hardMemoryLimit else { return }
        let current = launching ? nil : UInt64(controlValue: try cgroup.read("memory.max"))
        guard shouldWriteHardLimit(hard, current: current, launching: launching) else { return }
        try cgroup.write("memory.max", hard == .max ? "max" : "\(hard)")
    }

    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws {
        statistics.memTotalBytes = UInt64(controlValue: try cgroup.read("memory.current"))
        let stat = FlatKeyed(try cgroup.read("memory.stat"))
        // The sum appeared in Linux 5.18.
        statistics.memKmemUsageBytes =
            stat["kernel"]
            ?? ["kernel_stack", "pagetables", "sock", "vmalloc", "slab"].reduce(0) { $0 &+ (stat[$1] ?? 0) }
        statistics.memKmemTcpUsageBytes = stat["sock"]
        statistics.memFileBytes = stat["file"]
        statistics.memCacheBytes = stat["file"]
        statistics.memAnonBytes = stat["anon"]
        statistics.memRssBytes = stat["anon"]
        statistics.memMappedFileBytes = stat["file_mapped"]
        statistics.memUnevictableBytes = stat["unevictable"]
        statistics.memSwapBytes = try cgroup.readIfPresent("memory.swap.current").flatMap(UInt64.init(controlValue:))
    }

    func watch(_ cgroup: CgroupDirectory) async throws -> Mesos.Slave.ContainerLimitation {
        let events = try WatchedControlFile(cgroup.file("memory.events"))
        while true {
            // Reading takes the pending event, so whatever happens after it ends the wait.
            guard try events.readIfPresent() != nil else { try await pendUntilCancelled() }
            if let limitation = try limitation(cgroup) { return limitation }
            try await reactor.changed(events.raw)
        }
    }

    /// `oom` of this cgroup itself says that its own limit was hit. A kill without any `oom` at or below it came from
    /// above. An `oom` below only is the workload's own business: it made that cgroup and its limit.
    func limitation(_ cgroup: CgroupDirectory) throws -> Mesos.Slave.ContainerLimitation? {
        guard let text = try cgroup.readIfPresent("memory.events") else { return nil }
        let all = FlatKeyed(text)
        let own = try cgroup.readIfPresent("memory.events.local").map { FlatKeyed($0) } ?? all
        let cause: MemoryLimitation.Cause
        if (own["oom"] ?? 0) > 0 {
            cause = .ownLimit
        } else if (all["oom_kill"] ?? 0) > 0, all["oom"] ?? 0 == 0 {
            cause = .outside
        } else {
            return nil
        }
        // The peak exists since Linux 5.19.
        let peak = try cgroup.readIfPresent("memory.peak") ?? cgroup.readIfPresent("memory.current")
        return MemoryLimitation(
            cause: cause, limit: try cgroup.readIfPresent("memory.max").flatMap(UInt64.init(controlValue:)) ?? .max,
            peak: peak.flatMap(UInt64.init(controlValue:)) ?? 0, cgroup: cgroup
        ).message
    }
}
