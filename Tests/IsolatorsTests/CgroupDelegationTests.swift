// SPDX-License-Identifier: Apache-2.0

import Kernel
import SystemPackage
import Testing

@testable import Isolators

/// On plain directories; CgroupV2Tests does it on a real tree.
struct CgroupDelegationTests {
    @Test func onlyWhatIsMissingIsEnabled() throws {
        let cgroup = try TestCgroup(["cgroup.subtree_control": "memory"])
        let delegation = CgroupDelegation(mount: cgroup.directory, controllers: ["cpu", "memory", "pids"])
        try delegation.enable(at: cgroup.directory)
        #expect(try cgroup.contents()["cgroup.subtree_control"] == "+cpu +pids")
        try cgroup.put("cgroup.subtree_control", "cpu memory pids io\n")
        try delegation.enable(downTo: cgroup.directory)
        #expect(try cgroup.contents()["cgroup.subtree_control"] == "cpu memory pids io\n")
    }

    @Test func everyLevelIsEnabled() throws {
        let mount = try TestCgroup(["cgroup.subtree_control": ""])
        let path = mount.directory.child("a")
        try path.create()
        defer { try? path.removeTree(deadline: .now) }
        // The level below has no such file, which tells that it was looked at.
        let delegation = CgroupDelegation(mount: mount.directory, controllers: ["cpu"])
        #expect(throws: SystemError("open", path.file("cgroup.subtree_control"), .noSuchFileOrDirectory)) {
            try delegation.enable(downTo: path)
        }
        let none = CgroupDelegation(mount: mount.directory, controllers: [])
        try none.enable(downTo: path)
        #expect(try mount.contents().isEmpty)
    }

    @Test func whatIsAvailable() throws {
        let mount = try TestCgroup(["cgroup.controllers": "cpuset cpu io memory pids\n"])
        #expect(
            try CgroupDelegation.available(at: mount.directory) == ["cpuset", "cpu", "io", "memory", "pids"])
    }
}
