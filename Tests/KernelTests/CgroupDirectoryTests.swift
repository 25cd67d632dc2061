// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import SystemPackage
import Testing

/// On a plain directory that stands for a cgroup.
struct CgroupDirectoryTests {
    private func withDirectory(_ body: (CgroupDirectory) throws -> Void) throws {
        var template = Array("/tmp/gantry-cgroup-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        let directory = CgroupDirectory(path)
        defer { try? directory.removeTree(deadline: .now) }
        try body(directory)
    }

    @Test func namesAndPaths() {
        let directory = CgroupDirectory("/sys/fs/cgroup/gantry")
        #expect(directory.child("a").path == "/sys/fs/cgroup/gantry/a")
        #expect(directory.parent?.path == "/sys/fs/cgroup")
        #expect(directory.name == "gantry")
        #expect(CgroupDirectory("/a").parent == nil)
    }

    @Test func creation() throws {
        try withDirectory { directory in
            let deep = directory.child("a").child("b")
            #expect(throws: SystemError("mkdir", deep.path, .noSuchFileOrDirectory)) { try deep.create() }
            try deep.createWithParents()
            try deep.createWithParents()
            #expect(deep.exists)
            #expect(throws: SystemError("mkdir", deep.path, .fileExists)) { try deep.create() }
        }
    }

    @Test func removalTakesAllBelowAndCanBeRepeated() throws {
        try withDirectory { directory in
            let top = directory.child("a")
            for name in ["b/c/d", "b/e", "f"] {
                try CgroupDirectory("\(top.path)/\(name)").createWithParents()
            }
            #expect(Set(try top.descendants().map(\.name)) == ["b", "c", "d", "e", "f"])
            #expect(Set(try top.children().map(\.name)) == ["b", "f"])
            try top.removeTree(deadline: .now)
            #expect(!top.exists)
            try top.removeTree(deadline: .now)
            #expect(try top.children().isEmpty)
        }
    }

    @Test func removalGivesUpAtItsDeadline() throws {
        try withDirectory { directory in
            let busy = directory.child("busy")
            try busy.create()
            // A file keeps a plain directory from going, as a process keeps a cgroup.
            let file = busy.file("cgroup.procs")
            close(open(file, O_CREAT | O_WRONLY, 0o600))
            defer { unlink(file) }
            #expect(throws: SystemError("rmdir", busy.path, .resourceBusy)) { try busy.removeTree(deadline: .now) }
            #expect(busy.exists)
        }
    }

    @Test func controlFiles() throws {
        try withDirectory { directory in
            let file = directory.file("memory.max")
            #expect(throws: SystemError("open", file, .noSuchFileOrDirectory)) { try directory.read("memory.max") }
            #expect(throws: SystemError("open", file, .noSuchFileOrDirectory)) {
                try directory.write("memory.max", "1")
            }
            #expect(try directory.readIfPresent("memory.max") == nil)
            #expect(!directory.has("memory.max"))
            close(open(file, O_CREAT | O_WRONLY, 0o600))
            defer { unlink(file) }
            try directory.write("memory.max", "33554432")
            #expect(try directory.read("memory.max") == "33554432")
            #expect(directory.has("memory.max"))
        }
    }

    @Test func processes() throws {
        try withDirectory { directory in
            let processes = try directory.processes()
            #expect(processes.isEmpty)
            #expect(try directory.isPopulated() == nil)
        }
        // The root cgroup of any hierarchy has processes.
        let mounts = try CgroupMounts.detect()
        let root = try #require(mounts.unified ?? mounts.hierarchies.values.first)
        let processes = try CgroupDirectory(root).processes()
        #expect(!processes.isEmpty)
    }
}
