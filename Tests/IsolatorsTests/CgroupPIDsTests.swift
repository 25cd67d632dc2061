// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing
import Wire

@testable import Isolators

struct CgroupPIDsTests {
    @Test(
        arguments: [
            (64, "64"), (64.9, "64"), (4_194_304, "4194304"), (4_194_305, "max"), (.infinity, "max"),
        ] as [(Double, String)])
    func limits(amount: Double, text: String) throws {
        let cgroup = try TestCgroup(["pids.max": ""])
        let request = try CgroupRequest(requests: [], limits: .limits(["pids": amount]))
        try CgroupPIDs().apply(request, to: cgroup.directory, launching: true)
        #expect(try cgroup.contents() == ["pids.max": text])
    }

    @Test func aLimitThatIsTakenAwayStopsToCount() throws {
        let cgroup = try TestCgroup(["pids.max": ""])
        let request = try CgroupRequest(requests: [], limits: [:])
        try CgroupPIDs().apply(request, to: cgroup.directory, launching: true)
        #expect(try cgroup.contents().isEmpty)
        try CgroupPIDs().apply(request, to: cgroup.directory, launching: false)
        #expect(try cgroup.contents() == ["pids.max": "max"])
    }

    @Test func processesAndThreadsAreCountedBelowToo() throws {
        let cgroup = try TestCgroup([
            "cgroup.procs": "1\n2\n", "cgroup.threads": "1\n2\n3\n", "cgroup.stat": "nr_descendants 0\n",
        ])
        var statistics = Mesos.ResourceStatistics(timestamp: 0)
        try ProcessCount.measure(cgroup.directory, threads: "cgroup.threads", into: &statistics)
        #expect(statistics.processes == 2)
        #expect(statistics.threads == 3)

        let below = cgroup.directory.child("below")
        try below.create()
        defer { try? below.removeTree(deadline: .now) }
        try cgroup.put("cgroup.stat", "nr_descendants 1\n")
        try ProcessCount.measure(cgroup.directory, threads: "cgroup.threads", into: &statistics)
        #expect(statistics.processes == 2)
    }
}
