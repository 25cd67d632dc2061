// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing

struct CgroupMountsTests {
    private func mounts(_ lines: String...) throws -> CgroupMounts? {
        let table = try MountTable(parsing: (["22 1 8:1 / / rw - ext4 /dev/sda1 rw"] + lines).joined(separator: "\n"))
        return CgroupMounts(table)
    }

    @Test func version2AtTheStandardPlace() throws {
        let mounts = try #require(try mounts("30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate"))
        #expect(mounts.mode == .v2)
        #expect(mounts.unified == "/sys/fs/cgroup")
        #expect(mounts.directory("memory", "gantry/a")?.path == "/sys/fs/cgroup/gantry/a")
        #expect(mounts.directory("anything", "gantry/a")?.path == "/sys/fs/cgroup/gantry/a")
    }

    @Test func version1BesideAVersion2WithoutControllers() throws {
        let mounts = try #require(
            try mounts(
                "31 22 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
                "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
                "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
                "34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd",
                "35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
                // Somebody's bind of a part of the hierarchy does not count.
                "36 22 0:30 /a /srv/memory rw - cgroup cgroup rw,memory"))
        #expect(mounts.mode == .hybrid)
        #expect(mounts.unified == "/sys/fs/cgroup/unified")
        #expect(
            mounts.hierarchies == [
                "cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
                "memory": "/sys/fs/cgroup/memory", "name=systemd": "/sys/fs/cgroup/systemd",
            ])
        #expect(mounts.directory("cpuacct", "g")?.path == "/sys/fs/cgroup/cpu,cpuacct/g")
        #expect(mounts.directory("pids", "g") == nil)
    }

    @Test func version1Alone() throws {
        let mounts = try #require(try mounts("33 22 0:30 / /cg/freezer rw - cgroup cgroup rw,freezer"))
        #expect(mounts.mode == .v1)
        #expect(mounts.unified == nil)
    }

    @Test func version2ElsewhereIsNotEnough() throws {
        // Its controllers are not where programs look for them, so it only tracks.
        #expect(try mounts("30 22 0:26 / /run/cg rw - cgroup2 cgroup2 rw") == nil)
    }

    @Test func noCgroupsAtAll() throws {
        #expect(try mounts() == nil)
    }

    @Test func thisMachineHasCgroups() throws {
        let mounts = try CgroupMounts.detect()
        #expect(mounts.unified != nil || !mounts.hierarchies.isEmpty)
    }
}
