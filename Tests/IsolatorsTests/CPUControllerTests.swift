// SPDX-License-Identifier: Apache-2.0

import Core
import Testing
import Wire

@testable import Isolators

/// Exact file contents for both cgroup versions (isolators.md 3.3, 3.4, 4.4).
struct CPUControllerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var cpus: Double
        var revocable = false
        var limit: Double?
        var enforced = false
        var lowered = true
        var shares: String
        var weight: String
        /// Nil where version 1 writes nothing and version 2 writes "max".
        var quota: String?
        var testDescription: String { "\(cpus) cpus, limit \(limit.map { "\($0)" } ?? "none")" }
    }

    static let cases = [
        Case(cpus: 1, shares: "1024", weight: "100"),
        Case(cpus: 0.5, shares: "512", weight: "50"),
        Case(cpus: 0.001, shares: "2", weight: "1"),
        Case(cpus: 2.55, shares: "2611", weight: "254"),
        Case(cpus: 128, shares: "131072", weight: "10000"),
        Case(cpus: .infinity, shares: "18446744073709551615", weight: "10000"),
        Case(cpus: 4, revocable: true, shares: "40", weight: "4"),
        Case(cpus: 4, revocable: true, lowered: false, shares: "4096", weight: "400"),
        Case(cpus: 1, limit: 2, shares: "1024", weight: "100", quota: "200000"),
        Case(cpus: 1, limit: 0.001, shares: "1024", weight: "100", quota: "1000"),
        Case(cpus: 1, limit: .infinity, enforced: true, shares: "1024", weight: "100", quota: "none"),
        Case(cpus: 1.5, enforced: true, shares: "1536", weight: "150", quota: "150000"),
        Case(cpus: 1000, enforced: true, shares: "1024000", weight: "10000", quota: "100000000"),
    ]

    private func request(_ example: Case) throws -> CgroupRequest {
        try CgroupRequest(
            requests: [.scalar("cpus", example.cpus, revocable: example.revocable)],
            limits: .limits(example.limit.map { ["cpus": $0] } ?? [:]))
    }

    private func policy(_ example: Case) -> CPUPolicy {
        CPUPolicy(enforcesRequests: example.enforced, lowersRevocable: example.lowered)
    }

    @Test(arguments: cases) func version1(example: Case) throws {
        let cgroup = try TestCgroup(["cpu.shares": "", "cpu.cfs_period_us": "", "cpu.cfs_quota_us": ""])
        try Cgroup1CPU(policy: policy(example)).apply(request(example), to: cgroup.directory, launching: true)
        var expected = ["cpu.shares": example.shares]
        if let quota = example.quota {
            expected["cpu.cfs_period_us"] = "100000"
            expected["cpu.cfs_quota_us"] = quota == "none" ? "-1" : quota
        }
        #expect(try cgroup.contents() == expected)
    }

    @Test(arguments: cases) func version2(example: Case) throws {
        let cgroup = try TestCgroup(["cpu.weight": "", "cpu.max": ""])
        try Cgroup2CPU(policy: policy(example)).apply(request(example), to: cgroup.directory, launching: true)
        let quota = example.quota == "none" ? nil : example.quota
        #expect(try cgroup.contents() == ["cpu.weight": example.weight, "cpu.max": "\(quota ?? "max") 100000"])
    }

    @Test func anUpdateMustNameTheCPUs() throws {
        let cgroup = try TestCgroup(["cpu.shares": "", "cpu.weight": ""])
        let nothing = try CgroupRequest(requests: [], limits: [:])
        let policy = CPUPolicy(enforcesRequests: false, lowersRevocable: true)
        for controller in [Cgroup1CPU(policy: policy), Cgroup2CPU(policy: policy)] as [any CgroupController] {
            let error = #expect(throws: ContainerError.self) {
                try controller.apply(nothing, to: cgroup.directory, launching: false)
            }
            #expect(error?.code == "resources.missing-cpus")
            // A launch without cpus leaves the kernel's default.
            try controller.apply(nothing, to: cgroup.directory, launching: true)
        }
        #expect(try cgroup.contents().isEmpty)
    }

    @Test func theQuotaMustExistToBeEnforced() throws {
        let cgroup = try TestCgroup([:])
        let error = #expect(throws: ContainerError.self) {
            try Cgroup1CPU(policy: .init(enforcesRequests: true, lowersRevocable: true)).check(root: cgroup.directory)
        }
        #expect(error?.code == "cgroup.no-quota")
        try Cgroup1CPU(policy: .init(enforcesRequests: false, lowersRevocable: true)).check(root: cgroup.directory)
    }

    @Test func version1Usage() throws {
        let cgroup = try TestCgroup([
            "cpuacct.stat": "user 250\nsystem 50\n",
            "cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\nwait_sum 0\n",
        ])
        var statistics = Mesos.ResourceStatistics(timestamp: 0)
        try Cgroup1CPUAccounting().measure(cgroup.directory, into: &statistics)
        try Cgroup1CPU(policy: .init(enforcesRequests: false, lowersRevocable: true))
            .measure(cgroup.directory, into: &statistics)
        // 100 ticks a second on every Linux.
        #expect(
            statistics == Mesos.ResourceStatistics(timestamp: 0, cpusUserTimeSecs: 2.5, cpusSystemTimeSecs: 0.5))
        try Cgroup1CPU(policy: .init(enforcesRequests: true, lowersRevocable: true))
            .measure(cgroup.directory, into: &statistics)
        #expect(statistics.cpusNrPeriods == 10)
        #expect(statistics.cpusNrThrottled == 4)
        #expect(statistics.cpusThrottledTimeSecs == 1.5)
    }

    @Test func version2Usage() throws {
        let cgroup = try TestCgroup([
            "cpu.stat": "usage_usec 3000000\nuser_usec 2500000\nsystem_usec 500000\nnr_periods 10\nnr_throttled 4\n"
                + "throttled_usec 1500000\n"
        ])
        var statistics = Mesos.ResourceStatistics(timestamp: 0)
        try Cgroup2CPU(policy: .init(enforcesRequests: false, lowersRevocable: true))
            .measure(cgroup.directory, into: &statistics)
        #expect(
            statistics
                == Mesos.ResourceStatistics(
                    timestamp: 0, cpusUserTimeSecs: 2.5, cpusSystemTimeSecs: 0.5, cpusNrPeriods: 10,
                    cpusNrThrottled: 4, cpusThrottledTimeSecs: 1.5))
    }
}
