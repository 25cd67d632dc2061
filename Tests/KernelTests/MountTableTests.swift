// SPDX-License-Identifier: Apache-2.0

import Kernel
import SystemPackage
import Testing

struct MountTableTests {
    static let table = """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
        31 22 0:28 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs ro,mode=755
        36 22 98:0 /mnt1 /mnt\\0402 rw,noatime shared:3 master:1 propagate_from:2 - ext3 /dev/root rw
        40 22 0:40 / /var/lib rw shared:7 - xfs /dev/sdb rw
        41 40 0:41 / /var/lib rw - tmpfs back\\134slash\\011tab rw

        """

    @Test func everyFieldIsParsed() throws {
        let entries = try MountTable(parsing: Self.table).entries
        #expect(entries.map(\.target) == ["/", "/sys/fs/cgroup", "/mnt 2", "/var/lib", "/var/lib"])
        let bind = entries[2]
        #expect(bind.id == 36)
        #expect(bind.parent == 22)
        #expect(bind.device == "98:0")
        #expect(bind.root == "/mnt1")
        #expect(bind.options == ["rw", "noatime"])
        #expect(bind.sharedGroup == 3)
        #expect(bind.masterGroup == 1)
        #expect(bind.type == "ext3")
        #expect(bind.source == "/dev/root")
        #expect(entries[0].superOptions == ["rw", "errors=remount-ro"])
        #expect(entries[1].sharedGroup == nil)
        #expect(entries[4].source == "back\\slash\ttab")
    }

    @Test(arguments: [
        ("/", "ext4"), ("/home", "ext4"), ("/sys/fs/cgroup", "tmpfs"), ("/sys/fs/cgroup/memory", "tmpfs"),
        // A string prefix is not a path prefix.
        ("/sys/fs/cgroup2", "ext4"),
        ("/mnt 2/x", "ext3"),
        // The later of two mounts on one place covers the earlier.
        ("/var/lib/y", "tmpfs"),
    ])
    func theLongestPathPrefixContains(path: String, type: String) throws {
        #expect(try MountTable(parsing: Self.table).mount(containing: path)?.type == type)
    }

    @Test(arguments: [
        "x", "36 35 98:0 /mnt1 /mnt2 rw", "36 35 98:0 / / rw - ext3 /dev/root", "a 35 98:0 / / rw - e r rw",
    ])
    func whatIsNoMountTableIsRefused(line: String) {
        #expect(throws: SystemError("parse", "mount table line \"\(line)\"", .invalidArgument)) {
            try MountTable(parsing: line)
        }
    }

    @Test func ourOwnTableIsReadable() throws {
        let table = try MountTable.read()
        #expect(table.mount(containing: "/proc")?.type == "proc")
    }

    @Test func aMissingTableNamesTheFile() {
        #expect(throws: SystemError("open", "/proc/self/no-such-table", .noSuchFileOrDirectory)) {
            try MountTable.read("/proc/self/no-such-table")
        }
    }
}
