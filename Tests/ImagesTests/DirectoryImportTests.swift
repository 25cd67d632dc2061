// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import SystemPackage
import TestSupport
import Testing
import Wire

@testable import Images

@Suite(.enabled(if: isRoot, "needs root"))
struct DirectoryImportTests {
    /// A tree with one of everything.
    private static func tree() throws -> TemporaryDirectory {
        let tree = try TemporaryDirectory()
        let root = tree.directory
        try root.setPermissions(0o751)
        try root.make("bin")
        try root.setPermissions("bin", 0o755)
        try root.replaceFile("bin/sh", with: Array("#!".utf8), mode: 0o755)
        try root.setOwner("bin/sh", user: 12, group: 34)
        try root.setPermissions("bin/sh", 0o6755)
        try root.open("bin/sh", O_RDONLY).setExtendedAttribute("user.note", [1, 0, 2], path: "bin/sh")
        try root.link("bin/sh", to: root, as: "bin/bash")
        try root.makeSymbolicLink("out", to: Array("/tmp//x/".utf8))
        try root.makePipe("pipe")
        try root.makeWhiteout("gone")
        try root.setModified("bin", seconds: 99, nanoseconds: 123_456_789)
        let hole = try root.open("hole", O_WRONLY | O_CREAT, mode: 0o644)
        try hole.setSize(1 << 20, path: "hole")
        try hole.write([9], at: 600_000, path: "hole")
        return tree
    }

    @Test func keepsEverything() async throws {
        let tree = try Self.tree()
        let fixture = try StoreFixture()
        let record = try await fixture.store.importImage(path: tree.path, reference: "tree")
        #expect(record.sizeBytes == (1 << 20) + 2)
        let root = try fixture.rootfs(of: record)
        #expect(try root.names() == ["bin", "gone", "hole", "out", "pipe"])
        #expect(try root.information().permissions == 0o751)
        let shell = try root.information("bin/sh")
        #expect(shell.permissions == 0o6755 && shell.userID == 12 && shell.groupID == 34 && shell.links == 2)
        #expect(try root.information("bin/bash").isSameFile(as: shell))
        #expect(try root.open("bin/sh", O_RDONLY).extendedAttribute("user.note", path: "sh") == [1, 0, 2])
        #expect(try root.linkText("out") == Array("/tmp//x/".utf8))
        #expect(try root.information("pipe").kind == .fifo)
        #expect(try root.information("gone").kind == .characterDevice)
        let bin = try root.information("bin")
        #expect(bin.modifiedSeconds == 99 && bin.modifiedNanoseconds == 123_456_789)
        let hole = try #require(try root.readFile("hole", limit: 1 << 20))
        #expect(hole.count == 1 << 20 && hole[600_000] == 9 && hole.reduce(0) { $0 + Int($1) } == 9)
    }

    @Test func theDigestIsThatOfTheContent() async throws {
        let tree = try Self.tree()
        let copy = try TemporaryDirectory()
        try run("cp", "-aT", tree.path, copy.path)
        let fixture = try StoreFixture()
        let first = try await fixture.store.importImage(path: tree.path, reference: "a")
        let second = try await fixture.store.importImage(path: copy.path, reference: "b")
        #expect(first.layers == second.layers)
        #expect(try fixture.counts == (1, 1, 0))
        try copy.directory.setPermissions("bin", 0o700)
        let third = try await fixture.store.importImage(path: copy.path, reference: "b")
        #expect(third.layers != first.layers)
    }

    @Test func linksAreNotFollowedAndTheStoreIsNotImported() async throws {
        let fixture = try StoreFixture()
        let error = await containerError {
            _ = try await fixture.store.importImage(path: fixture.root, reference: "self")
        }
        #expect(error?.code == "image.bad-path" && error?.subject.hasSuffix("/images") == true)
        #expect(try fixture.counts == (0, 0, 0))
    }

    @Test(arguments: ["relative/path", "/nowhere/at/all", "/dev/null"])
    func paths(path: String) async throws {
        let fixture = try StoreFixture()
        let error = await containerError { _ = try await fixture.store.importImage(path: path, reference: "x") }
        #expect(["image.bad-path", "system.open"].contains(error?.code))
        #expect(error?.subject == path)
        #expect(error?.step == "importing x:latest")
    }

    @Test func anEmptyDirectoryIsNoImage() async throws {
        let fixture = try StoreFixture()
        let empty = try TemporaryDirectory()
        let error = await containerError { _ = try await fixture.store.importImage(path: empty.path, reference: "x") }
        #expect(error?.code == "image.empty")
    }

    @Test func anOCILayoutIsRefused() async throws {
        let fixture = try StoreFixture()
        let layout = try TemporaryDirectory()
        _ = try layout.write("oci-layout", Array("{}".utf8))
        let error = await containerError { _ = try await fixture.store.importImage(path: layout.path, reference: "x") }
        #expect(error?.code == "image.unsupported-archive")
        #expect(try fixture.counts == (0, 0, 0))
    }
}
