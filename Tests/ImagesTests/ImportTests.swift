// SPDX-License-Identifier: Apache-2.0

import CArchive
import Core
import Kernel
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Wire

@testable import Images

@Suite(.enabled(if: isRoot, "needs root"))
struct ImportTests {
    @Test func aTarBecomesAnImage() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive, as: "debian")
        #expect(record.reference == "debian:latest")
        #expect(record.layers == [Digest(of: TarBuilder.small.archive).description])
        #expect(record.sizeBytes == 13)
        #expect(fixture.store.list() == [record])
        #expect(try fixture.store.record(of: "debian:latest") == record)
        let root = try fixture.rootfs(of: record)
        #expect(try root.readFile("etc/passwd", limit: 100) == Array("root:x:0:0\n".utf8))
        #expect(try root.linkText("bin/bash") == Array("sh".utf8))
        let shell = try root.information("bin/sh")
        #expect(shell.permissions == 0o755 && shell.modifiedSeconds == 1_000_000_000)
        // Entries in it did not touch the directory's time.
        #expect(try root.information("bin").modifiedSeconds == 1_000_000_000)
        #expect(try fixture.counts == (1, 1, 0))
        #expect(try fixture.store.directories.top.information().permissions == 0o700)
    }

    @Test func theImageIsThereAfterARestart() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        let again = try StoreFixture(root: fixture.root)
        try await again.provisioner.recover(known: [])
        #expect(again.store.list() == [record])
        #expect(try again.store.record(of: "test") == record)
    }

    @Test(arguments: ["gzip", "zstd", "xz"])
    func packedArchivesHaveTheDigestOfTheirContent(filter: String) async throws {
        let fixture = try StoreFixture()
        let filters = [
            "gzip": archive_write_add_filter_gzip, "zstd": archive_write_add_filter_zstd,
            "xz": archive_write_add_filter_xz,
        ]
        let bytes = compressed(TarBuilder.small.archive, try #require(filters[filter]))
        #expect(bytes.count < TarBuilder.small.archive.count)
        let record = try await fixture.importArchive(bytes)
        #expect(record.layers == [Digest(of: TarBuilder.small.archive).description])
    }

    @Test func theSameContentIsStoredOnce() async throws {
        let fixture = try StoreFixture()
        let first = try await fixture.importArchive(TarBuilder.small.archive, as: "one")
        let bytes = compressed(TarBuilder.small.archive, archive_write_add_filter_gzip)
        let second = try await fixture.importArchive(bytes, as: "two:x")
        #expect(first.manifestDigest == second.manifestDigest)
        #expect(fixture.store.list().map(\.reference) == ["one:latest", "two:x"])
        #expect(try fixture.counts == (1, 1, 0))
        #expect(try await fixture.store.remove("one") == 0)
        #expect(try fixture.counts == (1, 1, 0))
        #expect(try await fixture.store.remove("two:x") == 13)
        #expect(try fixture.counts == (0, 0, 0))
    }

    @Test func aNewImportOfANameReplacesTheOld() async throws {
        let fixture = try StoreFixture()
        let old = try await fixture.importArchive(TarBuilder.small.archive)
        var other = TarBuilder.small
        other.add("new", [1])
        let new = try await fixture.importArchive(other.archive)
        #expect(old.layers != new.layers)
        #expect(fixture.store.list() == [new])
        #expect(try fixture.counts == (1, 1, 0))
    }

    @Test func ownersModesAndAttributesAreKept() async throws {
        let fixture = try StoreFixture()
        var tar = TarBuilder()
        // cap_net_raw+ep, version 2.
        let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        tar.add("su", [1], mode: 0o4755, user: 0, group: 42)
        tar.add(
            "ping", [1, 2], mode: 0o755, user: 1000, group: 1001,
            pax: [("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", Array("hello".utf8))])
        tar.directory("tmp", mode: 0o1777, user: 7)
        tar.directory("opaque")
        tar.add("dir", type: "5", mode: 0o700, pax: [("SCHILY.xattr.trusted.overlay.opaque", Array("y".utf8))])
        tar.add("link", type: "2", user: 5, link: "/nowhere//x/")
        tar.add("pipe", type: "6", mode: 0o622)
        tar.add("hard", type: "1", link: "su")
        tar.add("ä/ö", [1], pax: [("path", Array("ä/ö".utf8))])
        let record = try await fixture.importArchive(tar.archive)
        let root = try fixture.rootfs(of: record)
        let su = try root.information("su")
        #expect(su.permissions == 0o4755 && su.userID == 0 && su.groupID == 42 && su.links == 2)
        #expect(try root.information("hard").isSameFile(as: su))
        let ping = try root.open("ping", 0)
        #expect(try ping.extendedAttribute("security.capability", path: "ping") == capability)
        #expect(try ping.extendedAttribute("user.note", path: "ping") == Array("hello".utf8))
        #expect(try root.information("ping").userID == 1000)
        #expect(try root.information("tmp").permissions == 0o1777)
        let names = try root.directory("dir").duplicateDescriptor().extendedAttributeNames(path: "dir")
        #expect(!names.contains("trusted.overlay.opaque"))
        #expect(try root.linkText("link") == Array("/nowhere//x/".utf8))
        #expect(try root.information("link").userID == 5)
        #expect(try root.information("pipe").kind == .fifo)
        #expect(try root.readFile("ä/ö", limit: 10) == [1])
        // A directory without an entry of its own.
        #expect(try root.information("ä").permissions == 0o755)
    }

    @Test func aLaterEntryReplacesAnEarlierOne() async throws {
        let fixture = try StoreFixture()
        var tar = TarBuilder()
        tar.directory("a")
        tar.add("a/b", [1])
        tar.add("a", [2])
        tar.add("l", type: "2", link: "/tmp")
        tar.directory("l")
        tar.add("l/x", [3])
        tar.add("l/x", [4])
        let root = try fixture.rootfs(of: try await fixture.importArchive(tar.archive))
        #expect(try root.readFile("a", limit: 10) == [2])
        #expect(try root.readFile("l/x", limit: 10) == [4])
        #expect(try root.information("l").kind == .directory)
    }

    @Test func holesStayHoles() async throws {
        let fixture = try StoreFixture()
        var tar = TarBuilder()
        tar.sparse("hole", realSize: 1 << 20)
        let root = try fixture.rootfs(of: try await fixture.importArchive(tar.archive))
        #expect(try root.information("hole").size == 1 << 20)
        #expect(try root.readFile("hole", limit: 1 << 20)?.allSatisfy { $0 == 0 } == true)
    }

    @Test func devicesAreLeftOutAndWhiteoutsMade() async throws {
        let fixture = try StoreFixture()
        var tar = TarBuilder.small
        tar.add("dev/sda", type: "4", mode: 0o666, device: (8, 0))
        tar.add("dev/null", type: "3", mode: 0o666, device: (1, 3))
        tar.add("dev/link", type: "1", link: "dev/sda")
        tar.add("dev/gone", type: "3", mode: 0, device: (0, 0))
        let root = try fixture.rootfs(of: try await fixture.importArchive(tar.archive))
        #expect(try root.directory("dev").names() == ["gone"])
        let whiteout = try root.information("dev/gone")
        #expect(whiteout.kind == .characterDevice && whiteout.representedDevice == 0)
    }

    @Test func progressIsToldAndCancellingEndsIt() async throws {
        let fixture = try StoreFixture()
        var tar = TarBuilder()
        for number in 0..<8 { tar.add("file\(number)", [UInt8](repeating: UInt8(number), count: 1 << 20)) }
        let path = try fixture.temporary.write("archive", tar.archive)
        let seen = Mutex<[ImportProgress]>([])
        _ = try await fixture.store.importImage(path: path, reference: "big") { step in
            seen.withLock { $0.append(step) }
        }
        let steps = seen.withLock { $0 }
        #expect(steps.contains { $0.step == .unpack && $0.doneBytes > 0 && $0.totalBytes == UInt64(tar.archive.count) })
        #expect(steps.suffix(2).map(\.step) == [.sync, .commit])

        let started = AsyncStream<Void>.makeStream()
        let gate = try Gate()
        let slow = try StoreFixture { step in
            started.continuation.yield()
            // The import waits at its first step until it is cancelled.
            if step == "staging" { gate.wait() }
        }
        let task = Task { try await slow.store.importImage(path: path, reference: "big") }
        for await _ in started.stream { break }
        task.cancel()
        gate.open()
        let error = await containerError { _ = try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(try slow.counts == (0, 0, 0))
        #expect(slow.store.list().isEmpty)
    }

    @Test func inspectShowsTheDocuments() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        let answer = try await fixture.store.inspect("test")
        #expect(answer.image == record)
        #expect(Digest(of: Array(answer.manifestJSON.utf8)).description == record.manifestDigest)
        #expect(answer.manifestJSON.contains(Digest(of: Array(answer.configJSON.utf8)).description))
        #expect(answer.configJSON.contains(record.layers[0]))
        let error = await containerError { _ = try await fixture.store.inspect("nothing:1") }
        #expect(error?.code == "image.not-found" && error?.subject == "nothing:1" && error?.kind == .notFound)
    }

    @Test func onlyDockerImagesThatNeedNoRegistry() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        #expect(try fixture.store.resolve(image("test")) == record)
        var fresh = image("test")
        fresh.cached = false
        var appc = image("test")
        appc.type = .appc
        #expect(await containerError { _ = try fixture.store.resolve(fresh) }?.code == "image.pull-unsupported")
        #expect(await containerError { _ = try fixture.store.resolve(appc) }?.code == "image.unsupported-type")
        #expect(await containerError { _ = try fixture.store.resolve(image("a b")) }?.code == "image.bad-reference")
    }
}
