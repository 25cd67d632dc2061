// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import Testing
import Wire

@testable import Isolators

/// What the memory controllers read: usage and the kernel's counters of violations.
struct MemoryMeasureTests {
    @Test func version1Usage() throws {
        let cgroup = try TestCgroup([
            "memory.usage_in_bytes": "1000\n", "memory.kmem.usage_in_bytes": "200\n",
            "memory.stat": "cache 1\nrss 2\ntotal_cache 300\ntotal_rss 400\ntotal_mapped_file 50\ntotal_swap 6\n"
                + "total_unevictable 7\n",
        ])
        var statistics = Mesos.ResourceStatistics(timestamp: 0)
        try Cgroup1Memory(reactor: Reactor()).measure(cgroup.directory, into: &statistics)
        var expected = Mesos.ResourceStatistics(timestamp: 0)
        expected.memTotalBytes = 1000
        expected.memKmemUsageBytes = 200
        expected.memFileBytes = 300
        expected.memCacheBytes = 300
        expected.memAnonBytes = 400
        expected.memRssBytes = 400
        expected.memMappedFileBytes = 50
        expected.memSwapBytes = 6
        expected.memUnevictableBytes = 7
        #expect(statistics == expected)
    }

    @Test func version2Usage() throws {
        let cgroup = try TestCgroup([
            "memory.current": "1000\n",
            "memory.stat": "anon 400\nfile 300\nkernel 200\nsock 20\nfile_mapped 50\nunevictable 7\n",
        ])
        var statistics = Mesos.ResourceStatistics(timestamp: 0)
        try Cgroup2Memory(reactor: Reactor()).measure(cgroup.directory, into: &statistics)
        var expected = Mesos.ResourceStatistics(timestamp: 0)
        expected.memTotalBytes = 1000
        expected.memKmemUsageBytes = 200
        expected.memKmemTcpUsageBytes = 20
        expected.memFileBytes = 300
        expected.memCacheBytes = 300
        expected.memAnonBytes = 400
        expected.memRssBytes = 400
        expected.memMappedFileBytes = 50
        expected.memUnevictableBytes = 7
        #expect(statistics == expected)
    }

    @Test func version2KernelMemoryBeforeLinux5_18() throws {
        let cgroup = try TestCgroup([
            "memory.current": "1000\n", "memory.stat": "kernel_stack 1\npagetables 2\nsock 4\nvmalloc 8\nslab 16\n",
        ])
        var statistics = Mesos.ResourceStatistics(timestamp: 0)
        try Cgroup2Memory(reactor: Reactor()).measure(cgroup.directory, into: &statistics)
        #expect(statistics.memKmemUsageBytes == 31)
    }

    // MARK: Violations

    private static func version1(killed: Int, failures: Int) throws -> TestCgroup {
        try TestCgroup([
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill \(killed)\n",
            "memory.failcnt": "\(failures)\n", "memory.limit_in_bytes": "33554432\n",
            "memory.max_usage_in_bytes": "33550336\n",
        ])
    }

    @Test(
        arguments: [
            (0, 0, nil), (0, 5, nil), (1, 5, "memory limit exceeded"),
            (2, 0, "killed because memory ran out outside the container"),
        ] as [(Int, Int, String?)])
    func version1Counters(killed: Int, failures: Int, words: String?) throws {
        let cgroup = try Self.version1(killed: killed, failures: failures)
        let limitation = try Cgroup1Memory(reactor: Reactor()).limitation(cgroup.directory)
        #expect(
            limitation?.message
                == words.map { "\($0): limit 32 MiB, peak 31.9 MiB (cgroup \(cgroup.directory.path))" })
        #expect(limitation?.reason == words.map { _ in .containerLimitationMemory })
        guard let resource = limitation?.resources.first else { return }
        #expect(resource.name == "mem")
        #expect(resource.role == "*")
        #expect(resource.scalar?.value == 31.99609375)
    }

    @Test(
        arguments: [
            // memory.events, memory.events.local, the words
            ("oom 0\noom_kill 0\n", "oom 0\noom_kill 0\n", nil),
            ("oom 1\noom_kill 1\n", "oom 1\noom_kill 0\n", "memory limit exceeded"),
            // The workload's own cgroup, with a lower limit.
            ("oom 1\noom_kill 1\n", "oom 0\noom_kill 0\n", nil),
            ("oom 0\noom_kill 1\n", "oom 0\noom_kill 0\n", "killed because memory ran out outside the container"),
            // Before Linux 5.2 there is no local file.
            ("oom 1\noom_kill 0\n", nil, "memory limit exceeded"),
        ] as [(String, String?, String?)])
    func version2Counters(events: String, local: String?, words: String?) throws {
        var files = ["memory.events": events, "memory.max": "33554432\n", "memory.peak": "33554432\n"]
        files["memory.events.local"] = local
        let cgroup = try TestCgroup(files)
        let limitation = try Cgroup2Memory(reactor: Reactor()).limitation(cgroup.directory)
        #expect(
            limitation?.message == words.map { "\($0): limit 32 MiB, peak 32 MiB (cgroup \(cgroup.directory.path))" })
        #expect(limitation?.resources.first?.scalar?.value == (words == nil ? nil : 32))
    }

    @Test func aRemovedCgroupHasBrokenNothing() throws {
        let cgroup = try TestCgroup([:])
        #expect(try Cgroup1Memory(reactor: Reactor()).limitation(cgroup.directory) == nil)
        #expect(try Cgroup2Memory(reactor: Reactor()).limitation(cgroup.directory) == nil)
    }

    @Test(
        arguments: [
            (0, "0 MiB"), (1 << 20, "1 MiB"), (3 << 19, "1.5 MiB"), ((1 << 20) - 1, "0.9 MiB"), (32 << 20, "32 MiB"),
            (.max, "17592186044415.9 MiB"),
        ] as [(UInt64, String)])
    func sizesInWords(bytes: UInt64, words: String) {
        #expect(MemoryLimitation.mebibytes(bytes) == words)
    }

    @Test(arguments: [UInt64.max, 9_223_372_036_854_771_712])
    func anUnlimitedContainerHasNoLimitInWords(limit: UInt64) throws {
        let cgroup = try TestCgroup([:])
        let message = MemoryLimitation(cause: .outside, limit: limit, peak: 0, cgroup: cgroup.directory).message
        #expect(message.message?.contains("limit none, peak 0 MiB") == true)
    }
}
