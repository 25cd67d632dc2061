// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Kernel
internal import Reactor
internal import Synchronization
internal import SystemPackage
internal import Wire

extension ImageStore {
    /// Forgets a reference and removes the layers that nobody needs any more; returns the bytes that this freed.
    ///
    /// An image whose layers a container runs on is refused (`image.in-use`). With `force` the name goes at once and
    /// the layers go when the last such container is destroyed.
    public func remove(_ reference: String, force: Bool = false) async throws -> UInt64 {
        let canonical = try record(of: reference).reference
        return try await pool.run { [self] in
            do {
                try writing.withLock { _ in try forget(canonical, force: force) }
                return try sweep()
            } catch {
                throw ContainerError(wrapping: error, step: "removing \(canonical)")
            }
        }
    }

    /// On disk first: a name that is gone after a restart was gone before.
    private func forget(_ canonical: String, force: Bool) throws {
        let records = try index.withLock { index in
            guard index.images[canonical] != nil else { throw ContainerError.unknownImage(canonical) }
            let users = index.containers(keeping: canonical)
            guard force || users.isEmpty else { throw ContainerError.imageInUse(canonical, containers: users) }
            return index.records.filter { $0.reference != canonical }
        }
        try directories.writeIndex(records)
        index.withLock { $0.remove(canonical) }
    }

    /// Removes the layers that neither an image nor a container needs, and the manifests without an image. Blocks.
    /// Returns the bytes of the layers' files.
    @discardableResult
    func sweep() throws -> UInt64 {
        // The names go while nobody can commit a layer of the same content; the files take longer.
        let (gone, freed) = try writing.withLock { _ in
            let (unused, records) = index.withLock { ($0.takeUnused(), $0.records) }
            var gone = try unused.keys.compactMap { try directories.retire($0.directoryName, from: directories.layers) }
            let needed = Set(records.compactMap { Digest(text: $0.manifestDigest)?.directoryName })
            for name in try directories.manifests.names() where !needed.contains(name.description) {
                if let name = try directories.retire(name.description, from: directories.manifests) {
                    gone.append(name)
                }
            }
            return (gone, unused.values.reduce(UInt64(0)) { $0 &+ $1.size })
        }
        for name in gone { try directories.staging.removeTree(name) }
        return freed
    }
}
