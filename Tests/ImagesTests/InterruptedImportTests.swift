// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Wire

@testable import Images

/// A daemon that dies, and an import that fails, at every step.
@Suite(.enabled(if: isRoot, "needs root"))
struct InterruptedImportTests {
    private struct Interruption: Error {}

    /// Each step of one import, in order.
    private static func steps() async throws -> [String] {
        let seen = Mutex<[String]>([])
        let fixture = try StoreFixture { step in seen.withLock { $0.append(step) } }
        try await fixture.importArchive(TarBuilder.small.archive)
        return seen.withLock { $0 }
    }

    @Test func anErrorAtAnyStepLeavesTheOldImageAlone() async throws {
        let steps = try await Self.steps()
        #expect(steps.count > 10 && steps.last == "index")
        for (number, name) in steps.dropLast().enumerated() {
            let count = Mutex(-1000)
            let fixture = try StoreFixture { _ in
                let now = count.withLock { value in
                    value += 1
                    return value
                }
                if now == number { throw Interruption() }
            }
            var other = TarBuilder()
            other.add("old", [1])
            let old = try await fixture.importArchive(other.archive)
            count.withLock { $0 = -1 }
            let error = await containerError { try await fixture.importArchive(TarBuilder.small.archive) }
            #expect(error?.step == "importing test:latest", "\(name)")
            #expect(fixture.store.list() == [old], "\(name)")
            #expect(try fixture.counts == (1, 1, 0), "\(name)")
        }
    }

    /// The store is copied at each step, as a machine that dies would leave it, and opened again.
    @Test func aDeathAtAnyStepLeavesAllOrNothing() async throws {
        let copies = try TemporaryDirectory()
        let store = Mutex("")
        let count = Mutex(0)
        let fixture = try StoreFixture { step in
            let number = count.withLock { value in
                value += 1
                return value
            }
            try run("cp", "-a", store.withLock { $0 }, "\(copies.path)/\(number)-\(step)")
        }
        store.withLock { $0 = fixture.root }
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        let names = try copies.directory.names()
        #expect(names.count > 10)
        for name in names {
            let again = try StoreFixture(root: "\(copies.path)/\(name)")
            try await again.provisioner.recover(known: [])
            let whole = name.description.hasSuffix("-index")
            #expect(again.store.list() == (whole ? [record] : []), "\(name)")
            #expect(try again.counts == (whole ? (1, 1, 0) : (0, 0, 0)), "\(name)")
            // And the store works.
            let second = try await again.importArchive(TarBuilder.small.archive)
            #expect(second.manifestDigest == record.manifestDigest)
        }
    }

    @Test func aLayerWithoutItsSizeIsRemoved() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        let layers = fixture.store.directories.layers
        try layers.unlink(try layers.names()[0].appending("size"))
        let again = try StoreFixture(root: fixture.root)
        try await again.provisioner.recover(known: [])
        let error = await containerError { _ = try again.store.record(of: "test") }
        #expect(error?.code == "image.not-found")
        #expect(try again.counts.layers == 0)
        #expect(try await again.importArchive(TarBuilder.small.archive).layers == record.layers)
    }

    @Test func aBrokenIndexIsToldAndKept() async throws {
        let fixture = try StoreFixture()
        try await fixture.importArchive(TarBuilder.small.archive)
        let top = fixture.store.directories.top
        let index = try #require(try top.readFile("index", limit: 1 << 20))
        try top.replaceFile("index", with: Array(index.dropLast(3)))
        let error = await containerError { _ = try StoreFixture(root: fixture.root) }
        #expect(error?.code == "checkpoint.broken")
        #expect(try top.readFile("index", limit: 1 << 20)?.count == index.count - 3)
    }
}
