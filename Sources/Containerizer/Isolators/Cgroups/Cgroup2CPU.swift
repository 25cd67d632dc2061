// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// Version 2's `cpu`: weight, quota and time used.
struct Cgroup2CPU: CgroupController {
    let name = "cpu"
    let policy: CPUPolicy

    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws {
        guard let cpus = try launching ? request.cpus : CgroupRequest.require(request.cpus, "cpus") else { return }
        // The kernel takes 1 to 10000 (cgroup-v2 documentation, cpu.weight).
        let weight = min(10_000, max(1, UInt64(truncating: (policy.lowers(request) ? 1 : 100) * cpus)))
        try cgroup.write("cpu.weight", "\(weight)")

        // Written each time, so that a limit that is taken away stops to count.
        switch policy.quota(request, cpus: cpus) {
        case .unset, .unlimited: try cgroup.write("cpu.max", "max \(CPUPolicy.period)")
        case .microseconds(let quota): try cgroup.write("cpu.max", "\(quota) \(CPUPolicy.period)")
        }
    }

    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws {
        let stat = FlatKeyed(try cgroup.read("cpu.stat"))
        statistics.cpusUserTimeSecs = stat["user_usec"].map { Double($0) / 1e6 }
        statistics.cpusSystemTimeSecs = stat["system_usec"].map { Double($0) / 1e6 }
        statistics.cpusNrPeriods = stat["nr_periods"].map(UInt32.init(clamping:))
        statistics.cpusNrThrottled = stat["nr_throttled"].map(UInt32.init(clamping:))
        statistics.cpusThrottledTimeSecs = stat["throttled_usec"].map { Double($0) / 1e6 }
    }
}
