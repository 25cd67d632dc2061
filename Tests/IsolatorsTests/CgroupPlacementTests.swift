// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Testing
import Wire

@testable import Isolators

struct CgroupPlacementTests {
    private let id = Mesos.ContainerID(value: "web")

    private func placement(_ mounts: CgroupMounts, _ controllers: [String]) throws -> CgroupPlacement {
        CgroupPlacement(mounts: mounts, layout: try CgroupLayout(root: "gantry"), controllers: controllers)
    }

    @Test func coMountedControllersShareADirectoryAndAView() throws {
        let mounts = CgroupMounts(
            mode: .hybrid,
            hierarchies: [
                "cpu": "/c/cpu,cpuacct", "cpuacct": "/c/cpu,cpuacct", "memory": "/c/memory", "pids": "/c/pids",
            ],
            unified: "/c/unified")
        let placement = try placement(mounts, ["cpu", "cpuacct", "memory"])
        #expect(placement.limits(id).map(\.path) == ["/c/cpu,cpuacct/gantry/web", "/c/memory/gantry/web"])
        #expect(placement.roots.map(\.path) == ["/c/cpu,cpuacct/gantry", "/c/memory/gantry"])
        #expect(placement.leaf(id) == nil)
        #expect(placement.directory("cpuacct", id)?.path == "/c/cpu,cpuacct/gantry/web")
        #expect(
            placement.viewSteps(id).map(\.line) == [
                "bind /c/cpu,cpuacct/gantry/web /sys/fs/cgroup/cpu,cpuacct 15 rec",
                "bind /c/memory/gantry/web /sys/fs/cgroup/memory 15 rec",
            ])
        #expect(
            placement.sharedViewSteps.map(\.line) == [
                "directory /sys/fs/cgroup/cpu,cpuacct",
                "link /sys/fs/cgroup/cpu -> cpu,cpuacct", "link /sys/fs/cgroup/cpuacct -> cpu,cpuacct",
                "directory /sys/fs/cgroup/memory",
            ])
    }

    @Test func version2HasOnePair() throws {
        let mounts = CgroupMounts(mode: .v2, hierarchies: [:], unified: "/sys/fs/cgroup")
        let placement = try placement(mounts, ["cpu", "memory"])
        #expect(placement.limits(id).map(\.path) == ["/sys/fs/cgroup/gantry/web"])
        #expect(placement.leaf(id)?.path == "/sys/fs/cgroup/gantry/web/leaf")
        #expect(
            placement.viewSteps(id).map(\.line) == [
                "cgroup namespace", "bind /sys/fs/cgroup/gantry/web/leaf /sys/fs/cgroup 15 rec",
            ])
        // Also without any controller, for the launcher.
        #expect(try self.placement(mounts, []).limits(id).map(\.path) == ["/sys/fs/cgroup/gantry/web"])
    }

    @Test func nothingIsMountedForAnIsolatorWithoutControllersOnVersion1() throws {
        let mounts = CgroupMounts(mode: .v1, hierarchies: ["memory": "/c/memory"], unified: nil)
        let placement = try placement(mounts, [])
        #expect(placement.limits(id).isEmpty)
        #expect(placement.viewSteps(id).isEmpty)
    }
}
