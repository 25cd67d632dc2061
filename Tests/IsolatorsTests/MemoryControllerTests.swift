// SPDX-License-Identifier: Apache-2.0

import Core
import Reactor
import Testing
import Wire

@testable import Isolators

/// Exact file contents for both cgroup versions (isolators.md 3.5, 4.4).
struct MemoryControllerTests {
    private func request(_ megabytes: Double, limit: Double? = nil) throws -> CgroupRequest {
        try CgroupRequest(
            requests: [.scalar("mem", megabytes)], limits: .limits(limit.map { ["mem": $0] } ?? [:]))
    }

    @Test(
        arguments: [
            (64, nil, "67108864", "67108864"), (1, nil, "33554432", "33554432"), (64, 128, "67108864", "134217728"),
            (64, .infinity, "67108864", "-1"),
        ] as [(Double, Double?, String, String)])
    func launchOnVersion1(requested: Double, limit: Double?, soft: String, hard: String) throws {
        let cgroup = try TestCgroup(["memory.soft_limit_in_bytes": "", "memory.limit_in_bytes": ""])
        try Cgroup1Memory(reactor: Reactor())
            .apply(request(requested, limit: limit), to: cgroup.directory, launching: true)
        #expect(
            try cgroup.contents() == ["memory.soft_limit_in_bytes": soft, "memory.limit_in_bytes": hard])
    }

    @Test(
        arguments: [
            (64, nil, "67108864", "67108864"), (1, nil, "33554432", "33554432"), (64, 128, "67108864", "134217728"),
            (64, .infinity, "67108864", "max"),
        ] as [(Double, Double?, String, String)])
    func launchOnVersion2(requested: Double, limit: Double?, low: String, hard: String) throws {
        let cgroup = try TestCgroup([
            "memory.low": "", "memory.max": "", "memory.oom.group": "", "memory.swap.max": "",
        ])
        try Cgroup2Memory(reactor: Reactor())
            .apply(request(requested, limit: limit), to: cgroup.directory, launching: true)
        #expect(
            try cgroup.contents() == [
                "memory.low": low, "memory.max": hard, "memory.oom.group": "1", "memory.swap.max": "0",
            ])
    }

    @Test func version2WithoutSwapAccounting() throws {
        let cgroup = try TestCgroup(["memory.low": "", "memory.max": "", "memory.oom.group": ""])
        try Cgroup2Memory(reactor: Reactor()).apply(request(64), to: cgroup.directory, launching: true)
        #expect(try cgroup.contents()["memory.max"] == "67108864")
    }

    @Test(
        arguments: [
            // Current hard limit, requested, limit, hard limit afterwards: raised, never lowered, lifted, not put back.
            ("67108864", 96, nil, "100663296"), ("67108864", 64, nil, "67108864"), ("67108864", 32, nil, "67108864"),
            ("67108864", 32, 48, "67108864"), ("67108864", 32, 80, "83886080"), ("unlimited", 64, nil, "unlimited"),
        ] as [(String, Double, Double?, String)])
    func anUpdateOnlyRaises(current: String, requested: Double, limit: Double?, after: String) throws {
        let pages = "9223372036854771712"
        let first = try TestCgroup([
            "memory.soft_limit_in_bytes": "", "memory.limit_in_bytes": current == "unlimited" ? pages : current,
        ])
        // The kernel's file holds one number; a plain one keeps the old digits behind a shorter write.
        if after.count > current.count { try first.put("memory.limit_in_bytes", current) }
        try Cgroup1Memory(reactor: Reactor())
            .apply(request(requested, limit: limit), to: first.directory, launching: false)
        #expect(try first.contents()["memory.limit_in_bytes"] == (after == "unlimited" ? pages : after))
        #expect(try first.contents()["memory.soft_limit_in_bytes"] == "\(UInt64(requested) << 20)")

        let second = try TestCgroup([
            "memory.low": "", "memory.max": current == "unlimited" ? "max\n" : current,
        ])
        try Cgroup2Memory(reactor: Reactor())
            .apply(request(requested, limit: limit), to: second.directory, launching: false)
        #expect(try second.contents()["memory.max"] == (after == "unlimited" ? "max\n" : after))
        #expect(try second.contents()["memory.low"] == "\(UInt64(requested) << 20)")
    }

    @Test func anUpdateToInfinityLiftsTheLimit() throws {
        let first = try TestCgroup(["memory.soft_limit_in_bytes": "", "memory.limit_in_bytes": "8\n"])
        try Cgroup1Memory(reactor: Reactor())
            .apply(request(64, limit: .infinity), to: first.directory, launching: false)
        #expect(try first.contents()["memory.limit_in_bytes"] == "-1")
        let second = try TestCgroup(["memory.low": "", "memory.max": "8\n"])
        try Cgroup2Memory(reactor: Reactor())
            .apply(request(64, limit: .infinity), to: second.directory, launching: false)
        #expect(try second.contents()["memory.max"] == "max")
    }

    @Test func anUpdateMustNameTheMemory() throws {
        let cgroup = try TestCgroup([:])
        let nothing = try CgroupRequest(requests: [], limits: [:])
        let controllers: [any CgroupController] = [
            Cgroup1Memory(reactor: try Reactor()), Cgroup2Memory(reactor: try Reactor()),
        ]
        for controller in controllers {
            let error = #expect(throws: ContainerError.self) {
                try controller.apply(nothing, to: cgroup.directory, launching: false)
            }
            #expect(error?.code == "resources.missing-mem")
        }
    }

    @Test func theOOMKillerIsSwitchedOnAgain() throws {
        let cgroup = try TestCgroup(["memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"])
        let memory = Cgroup1Memory(reactor: try Reactor())
        try memory.check(root: cgroup.directory)
        #expect(try cgroup.contents()["memory.oom_control"] == "oom_kill_disable 0\nunder_oom 0\n")
        try cgroup.put("memory.oom_control", "oom_kill_disable 1")
        try memory.check(root: cgroup.directory)
        #expect(try cgroup.contents()["memory.oom_control"]?.first == "0")
    }

    @Test(
        arguments: [
            // Soft and hard limit in MB of a machine with 1000 MB.
            (100, 200, 900), (999, 1000, 1), (1, 1000, 999), (1500, 2000, 0), (200, 200, nil),
        ] as [(UInt64, UInt64, Int?)])
    func theLessAskedForTheSoonerKilled(soft: UInt64, hard: UInt64, adjustment: Int?) throws {
        let cgroup = try TestCgroup([
            "memory.soft_limit_in_bytes": "\(soft << 20)\n", "memory.limit_in_bytes": "\(hard << 20)\n",
        ])
        #expect(
            try Cgroup1Memory(reactor: Reactor())
                .oomScoreAdjustment(cgroup.directory, totalMemory: 1000 << 20) == adjustment)
    }
}
