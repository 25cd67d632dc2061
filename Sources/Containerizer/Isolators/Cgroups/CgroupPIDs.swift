// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `pids`, which is the same in both versions.
struct CgroupPIDs: CgroupController {
    let name = "pids"

    /// PID_MAX_LIMIT of 64-bit kernels; pids.max takes less than one more.
    private static let largest: UInt64 = 4_194_304

    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws {
        switch request.processLimit {
        case .amount(let amount)?:
            let limit = UInt64(truncating: amount)
            try cgroup.write("pids.max", limit > Self.largest ? "max" : "\(limit)")
        case .unlimited?: try cgroup.write("pids.max", "max")
        // A new cgroup has no limit; one that was taken away must not stay.
        case nil: if !launching { try cgroup.write("pids.max", "max") }
        }
    }
}

/// Processes and threads, counted in the cgroup that holds them (isolators.md 3.4, 4.4).
enum ProcessCount {
    static func measure(
        _ cgroup: CgroupDirectory, threads file: String, into statistics: inout Mesos.ResourceStatistics
    ) throws {
        // What the workload keeps in cgroups of its own below counts as well.
        let below = try FlatKeyed(cgroup.readIfPresent("cgroup.stat") ?? "")["nr_descendants"] ?? 0
        var processes = 0
        var threads = 0
        for cgroup in [cgroup] + (below > 0 ? try cgroup.descendants() : []) {
            processes += lines(try cgroup.readIfPresent("cgroup.procs"))
            threads += lines(try cgroup.readIfPresent(file))
        }
        statistics.processes = UInt32(clamping: processes)
        statistics.threads = UInt32(clamping: threads)
    }

    private static func lines(_ text: String?) -> Int {
        text?.utf8.count { $0 == UInt8(ascii: "\n") } ?? 0
    }
}
