// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Synchronization
internal import Wire

/// Who uses which layers. Answered from memory: a launch waits for no disk here.
extension ImageStore {
    struct Use {
        /// Base first.
        var layers: [Digest]
        /// What the container's `/` looks like.
        var root: ImageIndex.RootAttributes
    }

    /// Looks an image up and holds its layers for the container, in one step: no removal comes between.
    func use(_ reference: ImageReference, by container: String) throws -> Use {
        try index.withLock { index in
            guard let record = index.resolve(reference) else {
                throw ContainerError.unknownImage(reference.canonical)
            }
            let layers = index.digests(of: record)
            guard let top = layers.last, let layer = index.layers[top] else {
                throw ContainerError.unknownImage(reference.canonical)
            }
            index.use(layers, by: container)
            return Use(layers: layers, root: layer.root)
        }
    }

    /// The layers that a container of an earlier daemon uses.
    func use(_ layers: [Digest], by container: String) {
        index.withLock { $0.use(layers, by: container) }
    }

    /// Forgets what the container and everything nested in it uses. True when layers lived only for them: then `sweep`.
    func release(_ container: String) -> Bool {
        index.withLock { index in
            let ended = index.uses.keys.filter { $0 == container || $0.hasPrefix("\(container)/") }
            let kept = ended.contains { index.keepsLayers($0) }
            for container in ended { index.release(container) }
            return kept
        }
    }
}
