// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import Wire

/// Version 1's `cpu`: shares and quota.
struct Cgroup1CPU: CgroupController {
    let name = "cpu"
    let policy: CPUPolicy

    func check(root: CgroupDirectory) throws {
        guard policy.enforcesRequests, !root.has("cpu.cfs_quota_us") else { return }
        throw ContainerError(
            .failedPrecondition, code: "cgroup.no-quota", "\(root.path) has no cpu.cfs_quota_us",
            step: "starting the isolator cgroups", subject: root.path,
            hint: "the kernel lacks CONFIG_CFS_BANDWIDTH: turn enforcement of cpu quotas off")
    }

    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws {
        guard let cpus = try launching ? request.cpus : CgroupRequest.require(request.cpus, "cpus") else { return }
        let shares = max(2, UInt64(truncating: (policy.lowers(request) ? 10 : 1024) * cpus))
        try cgroup.write("cpu.shares", "\(shares)")

        // The period first: the kernel checks a quota against the period that is set.
        switch policy.quota(request, cpus: cpus) {
        case .unset: break
        case .unlimited:
            try cgroup.write("cpu.cfs_period_us", "\(CPUPolicy.period)")
            try cgroup.write("cpu.cfs_quota_us", "-1")
        case .microseconds(let quota):
            try cgroup.write("cpu.cfs_period_us", "\(CPUPolicy.period)")
            try cgroup.write("cpu.cfs_quota_us", "\(quota)")
        }
    }

    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws {
        guard policy.enforcesRequests else { return }
        let stat = FlatKeyed(try cgroup.read("cpu.stat"))
        statistics.cpusNrPeriods = stat["nr_periods"].map(UInt32.init(clamping:))
        statistics.cpusNrThrottled = stat["nr_throttled"].map(UInt32.init(clamping:))
        statistics.cpusThrottledTimeSecs = stat["throttled_time"].map { Double($0) / 1e9 }
    }
}

/// Version 1's `cpuacct`: time used.
struct Cgroup1CPUAccounting: CgroupController {
    let name = "cpuacct"

    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws {}

    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws {
        let stat = FlatKeyed(try cgroup.read("cpuacct.stat"))
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        statistics.cpusUserTimeSecs = stat["user"].map { Double($0) / ticks }
        statistics.cpusSystemTimeSecs = stat["system"].map { Double($0) / ticks }
    }
}
