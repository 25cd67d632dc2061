// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Wire

/// What the store holds and who uses it. Pure: no files, no time.
struct ImageIndex: Sendable {
    struct Layer: Sendable, Hashable {
        /// Bytes of all files.
        var size: UInt64
        /// The root directory of the layer: overlayfs shows the upper directory's instead.
        var root: RootAttributes
    }

    /// Mode and owner of a layer's root directory.
    struct RootAttributes: Sendable, Hashable {
        var permissions: UInt32 = 0o755
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    /// By canonical reference.
    private(set) var images: [String: Gantry.V1.ImageRecord] = [:]
    private(set) var layers: [Digest: Layer] = [:]
    /// The layers of each container's root and volumes, by the names of the container, outermost
    /// first, with slashes between.
    private(set) var uses: [String: Set<Digest>] = [:]

    /// All images, in the order of their names.
    var records: [Gantry.V1.ImageRecord] { images.values.sorted { $0.reference < $1.reference } }

    init(records: [Gantry.V1.ImageRecord] = [], layers: [Digest: Layer] = [:]) {
        for record in records { images[record.reference] = record }
        self.layers = layers
    }

    /// The image that a reference names, whose layers are all there.
    func resolve(_ reference: ImageReference) -> Gantry.V1.ImageRecord? {
        let found: Gantry.V1.ImageRecord?
        if let digest = reference.digest, reference.tag == nil {
            // A digest names the content; any tag of the same name will do.
            found = records.first { record in
                record.manifestDigest == digest && (try? ImageReference(record.reference))?.name == reference.name
            }
        } else {
            found = images[reference.canonical]
        }
        guard let found, reference.digest == nil || reference.digest == found.manifestDigest else { return nil }
        return digests(of: found).allSatisfy { layers[$0] != nil } ? found : nil
    }

    /// Base first.
    func digests(of record: Gantry.V1.ImageRecord) -> [Digest] {
        record.layers.compactMap { Digest(text: $0) }
    }

    mutating func put(_ record: Gantry.V1.ImageRecord) {
        images[record.reference] = record
    }

    mutating func add(_ digest: Digest, _ layer: Layer) {
        layers[digest] = layer
    }

    mutating func use(_ digests: [Digest], by container: String) {
        uses[container, default: []].formUnion(digests)
    }

    mutating func release(_ container: String) {
        uses[container] = nil
    }

    /// Containers that would lose a layer if the reference went, as users write them, sorted.
    func containers(keeping reference: String) -> [String] {
        guard let record = images[reference] else { return [] }
        var others = images
        others[reference] = nil
        let kept = Set(others.values.flatMap { digests(of: $0) })
        let lost = Set(digests(of: record)).subtracting(kept)
        let keys = uses.filter { !$0.value.isDisjoint(with: lost) }.keys.sorted()
        return keys.map { $0.split(separator: "/").joined(separator: ".") }
    }

    mutating func remove(_ reference: String) {
        images[reference] = nil
    }

    /// Layers that neither an image nor a container needs; they are forgotten, and the caller removes them from disk.
    mutating func takeUnused() -> [Digest: Layer] {
        var needed = Set(images.values.flatMap { digests(of: $0) })
        for digests in uses.values { needed.formUnion(digests) }
        let unused = layers.filter { !needed.contains($0.key) }
        layers = layers.filter { needed.contains($0.key) }
        return unused
    }

    /// Whether some layer lives only because `container` uses it.
    func keepsLayers(_ container: String) -> Bool {
        guard let digests = uses[container], !digests.isEmpty else { return false }
        let imaged = Set(images.values.flatMap { self.digests(of: $0) })
        return !digests.isSubset(of: imaged)
    }
}
