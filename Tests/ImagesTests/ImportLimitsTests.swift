// SPDX-License-Identifier: Apache-2.0

import CArchive
import CLinux
import Core
import Kernel
import SystemPackage
import Testing

@testable import Images

@Suite(.enabled(if: isRoot, "needs root"))
struct ImportLimitsTests {
    private static let small = ImportLimits(unpackedBytes: 1 << 20, entries: 20, reservedBytes: 0)

    @Test func unpackedBytes() async throws {
        let fixture = try StoreFixture(limits: Self.small)
        var tar = TarBuilder()
        tar.add("first", [UInt8](repeating: 0, count: 1 << 20))
        tar.add("second", [1])
        let bytes = compressed(tar.archive, archive_write_add_filter_gzip)
        #expect(bytes.count < 1 << 14)
        let error = await containerError { try await fixture.importArchive(bytes) }
        #expect(error?.code == "image.limit" && error?.kind == .resourceExhausted && error?.subject == "second")
        #expect(try fixture.counts == (0, 0, 0))
    }

    @Test func holesCount() async throws {
        let fixture = try StoreFixture(limits: Self.small)
        var tar = TarBuilder()
        tar.sparse("hole", realSize: (8 << 30) - 1)
        let error = await containerError { try await fixture.importArchive(tar.archive) }
        #expect(error?.code == "image.limit" && error?.subject == "hole")
        #expect(try fixture.counts == (0, 0, 0))
    }

    @Test func entriesAndTheDirectoriesThatTheyImply() async throws {
        let fixture = try StoreFixture(limits: Self.small)
        var tar = TarBuilder()
        for number in 0..<20 { tar.directory("d\(number)") }
        try await fixture.importArchive(tar.archive)
        var deep = TarBuilder()
        deep.add(String(repeating: "d/", count: 20) + "f")
        let error = await containerError { try await fixture.importArchive(deep.archive, as: "deep") }
        #expect(error?.code == "image.limit" && error?.message.contains("20 entries") == true)
        #expect(try fixture.counts == (1, 1, 0))
    }

    @Test func aFullDisk() async throws {
        let disk = try SmallDisk(bytes: 4 << 20)
        let fixture = try StoreFixture(root: disk.path, spares: 0)
        var tar = TarBuilder()
        tar.add("big", [UInt8](repeating: 1, count: 8 << 20))
        let error = await containerError { try await fixture.importArchive(tar.archive) }
        #expect(error?.code == "disk.full" && error?.kind == .resourceExhausted, "\(String(describing: error))")
        #expect(error?.hint.contains("--root") == true)
        #expect(try fixture.counts == (0, 0, 0))
        // What fits, fits afterwards.
        try await fixture.importArchive(TarBuilder.small.archive)
    }

    @Test func theReserveIsKept() async throws {
        let disk = try SmallDisk(bytes: 8 << 20)
        let limits = ImportLimits(reservedBytes: 6 << 20)
        let fixture = try StoreFixture(root: disk.path, limits: limits, spares: 0)
        var tar = TarBuilder()
        tar.add("big", [UInt8](repeating: 1, count: 4 << 20))
        let error = await containerError { try await fixture.importArchive(tar.archive) }
        #expect(error?.code == "disk.full")
        #expect(try fixture.counts == (0, 0, 0))
    }
}

/// A tmpfs of a few megabytes that is attached nowhere, so that nothing is left of it.
final class SmallDisk {
    private let root: Descriptor

    /// Reaches the disk for as long as this value lives.
    var path: String { "/proc/self/fd/\(root.raw)" }

    init(bytes: Int) throws {
        let context = Descriptor(owning: try systemCall("fsopen") { gantry_file_system_context("tmpfs") })
        let number = context.raw
        try systemCall("fsconfig") { gantry_file_system_option(number, "size", "\(bytes)") }
        try systemCall("fsconfig") { gantry_file_system_create(number) }
        root = Descriptor(owning: try systemCall("fsmount") { gantry_file_system_mount(number) })
    }
}
