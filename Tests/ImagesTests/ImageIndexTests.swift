// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import Images

@Suite struct ImageIndexTests {
    private static let first = Digest(of: [1])
    private static let second = Digest(of: [2])

    private static func record(_ reference: String, _ layers: Digest...) -> Gantry.V1.ImageRecord {
        Gantry.V1.ImageRecord(
            reference: reference, manifestDigest: Digest(of: Array(reference.utf8)).description,
            layers: layers.map(\.description))
    }

    private static var index: ImageIndex {
        var index = ImageIndex(records: [record("a:latest", first), record("b:1", first, second)])
        index.add(first, ImageIndex.Layer(size: 10, root: .init()))
        index.add(second, ImageIndex.Layer(size: 20, root: .init()))
        return index
    }

    @Test func resolvesByNameTagAndDigest() throws {
        let digest = Digest(of: Array("b:1".utf8))
        #expect(Self.index.resolve(try ImageReference("a"))?.reference == "a:latest")
        #expect(Self.index.resolve(try ImageReference("b")) == nil)
        #expect(Self.index.resolve(try ImageReference("b@\(digest)"))?.reference == "b:1")
        #expect(Self.index.resolve(try ImageReference("b:1@\(digest)"))?.reference == "b:1")
        #expect(Self.index.resolve(try ImageReference("a:latest@\(digest)")) == nil)
    }

    @Test func anImageWithoutALayerIsNoImage() throws {
        let index = ImageIndex(records: [Self.record("a:latest", Self.first)])
        #expect(index.resolve(try ImageReference("a")) == nil)
    }

    @Test func aLayerIsKeptByImagesAndContainers() {
        var index = Self.index
        index.use([Self.first, Self.second], by: "web/child")
        #expect(index.containers(keeping: "a:latest") == [])
        #expect(index.containers(keeping: "b:1") == ["web.child"])
        index.remove("b:1")
        #expect(index.takeUnused().isEmpty)
        #expect(index.keepsLayers("web/child"))
        index.release("web/child")
        #expect(index.takeUnused().keys.map(\.description) == [Self.second.description])
        #expect(index.layers[Self.second] == nil)
        #expect(index.takeUnused().isEmpty)
    }
}
