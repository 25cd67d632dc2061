// SPDX-License-Identifier: Apache-2.0

import CArchive
import Core
import Kernel
import SystemPackage
import Testing

@testable import Images

/// One archive that attacks the host, or is broken.
struct HostileArchive: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var code = "image.hostile-entry"
    /// What the message must name.
    var names: String

    static func tar(
        _ description: String, code: String = "image.hostile-entry", names: String, _ build: (inout TarBuilder) -> Void
    ) -> HostileArchive {
        var tar = TarBuilder.small
        build(&tar)
        return HostileArchive(testDescription: description, bytes: tar.archive, code: code, names: names)
    }

    static let canary = "/tmp/gantry-images-canary"

    static let entries: [HostileArchive] = [
        .tar("parent", names: "../canary") { $0.add("../canary", [1]) },
        .tar("parent in the middle", names: "bin/../../../canary") { $0.add("bin/../../../canary", [1]) },
        .tar("harmless parent", names: "bin/../x") { $0.add("bin/../x", [1]) },
        .tar("absolute", names: canary) { $0.add(canary, [1]) },
        .tar("through an absolute link", names: "out/gantry-images-canary") {
            $0.add("out", type: "2", link: "/tmp")
            $0.add("out/gantry-images-canary", [1])
        },
        .tar("through a relative link", names: "out/gantry-images-canary") {
            $0.add("out", type: "2", link: "../../../../../../../../tmp")
            $0.add("out/gantry-images-canary", [1])
        },
        .tar("through a link inside", names: "in/x") {
            $0.add("in", type: "2", link: "bin")
            $0.add("in/x", [1])
        },
        .tar("directory through a link", names: "out/d") {
            $0.add("out", type: "2", link: "/tmp")
            $0.directory("out/d")
        },
        .tar("hard link out", names: "h") {
            $0.add("h", type: "1", link: "../../../../../../tmp/gantry-images-canary")
        },
        .tar("absolute hard link", names: "h") { $0.add("h", type: "1", link: canary) },
        .tar("hard link through a link", names: "h") {
            $0.add("out", type: "2", link: "/tmp")
            $0.add("h", type: "1", link: "out/gantry-images-canary")
        },
        .tar("hard link to nothing", names: "h") { $0.add("h", type: "1", link: "not/there") },
        .tar("hard link to a directory", names: "h") { $0.add("h", type: "1", link: "bin") },
        .tar("below a file", names: "etc/passwd/x") { $0.add("etc/passwd/x", [1]) },
        .tar("root as a file", names: ".") { $0.add(".", [1]) },
        .tar("long component", names: "xxxx") {
            $0.add("long", [1], pax: [("path", [UInt8](repeating: UInt8(ascii: "x"), count: 256))])
        },
        .tar("long path", names: "...") {
            $0.add("long", [1], pax: [("path", Array(String(repeating: "d/", count: 3000).utf8) + [120])])
        },
        .tar("long link", names: "l") {
            $0.add("l", type: "2", pax: [("linkpath", [UInt8](repeating: UInt8(ascii: "x"), count: 5000))])
        },
        .tar("owner over 32 bits", names: "f") { $0.add("f", [1], pax: [("uid", Array("4294967296".utf8))]) },
        .tar("owner that means none", names: "f") { $0.add("f", [1], pax: [("gid", Array("4294967295".utf8))]) },
        .tar("huge attribute", names: "f") {
            $0.add("f", [1], pax: [("SCHILY.xattr.user.big", [UInt8](repeating: 65, count: 60000))])
        },
    ]

    static let broken: [HostileArchive] = [
        HostileArchive(testDescription: "nothing", bytes: [], code: "image.empty", names: "archive"),
        HostileArchive(
            testDescription: "only an end", bytes: TarBuilder().archive, code: "image.empty", names: "archive"),
        HostileArchive(
            testDescription: "garbage", bytes: Array(String(repeating: "no tar at all\n", count: 500).utf8),
            code: "image.broken-archive", names: "archive"),
        HostileArchive(
            testDescription: "cut off", bytes: Array(TarBuilder.small.bytes.dropLast(512)),
            code: "image.broken-archive",
            names: "archive"),
        HostileArchive(
            testDescription: "cut off gzip",
            bytes: Array(compressed(TarBuilder.small.archive, archive_write_add_filter_gzip).dropLast(12)),
            code: "image.broken-archive", names: "archive"),
        HostileArchive(
            testDescription: "cut off zstd",
            bytes: Array(compressed(TarBuilder.small.archive, archive_write_add_filter_zstd).dropLast(12)),
            code: "image.broken-archive", names: "archive"),
        HostileArchive(
            testDescription: "packed twice",
            bytes: compressed(
                compressed(TarBuilder.small.archive, archive_write_add_filter_gzip), archive_write_add_filter_gzip),
            code: "image.broken-archive", names: "more than once"),
        .tar("docker archive", code: "image.unsupported-archive", names: "manifest.json") {
            $0.add("manifest.json", Array("[]".utf8))
        },
        .tar("OCI layout", code: "image.unsupported-archive", names: "oci-layout") {
            $0.add("./oci-layout", Array("{}".utf8))
        },
        .tar("cut off content", code: "image.broken-archive", names: "archive") { $0.add("f", [1], size: 100_000) },
    ]
}

@Suite(.enabled(if: isRoot, "needs root"), .serialized)
struct HostileArchiveTests {
    @Test(arguments: HostileArchive.entries + HostileArchive.broken)
    func isRefusedAndLeavesNothing(archive: HostileArchive) async throws {
        let outside = try Directory("/tmp")
        let canary = FilePath(HostileArchive.canary).lastName
        try outside.replaceFile(canary, with: [7], durable: false)
        let before = try outside.information(canary)
        defer { try? outside.unlink(canary) }
        let fixture = try StoreFixture()
        let error = await containerError { try await fixture.importArchive(archive.bytes) }
        #expect(error?.code == archive.code, "\(String(describing: error))")
        #expect(error?.kind == .invalidArgument)
        #expect(error?.message.contains(archive.names) == true, "\(String(describing: error))")
        #expect(error?.step == "importing test:latest")
        #expect(error?.hint.isEmpty == false)
        #expect(fixture.store.list().isEmpty)
        #expect(try fixture.counts == (0, 0, 0))
        #expect(try outside.readFile(canary, limit: 10) == [7])
        let after = try outside.information(canary)
        #expect(after.links == 1 && after.modifiedSeconds == before.modifiedSeconds)
        #expect(try outside.informationIfPresent("d") == nil)
    }
}
