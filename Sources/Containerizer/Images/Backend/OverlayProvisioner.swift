// SPDX-License-Identifier: Apache-2.0

public import Core
public import Kernel
public import Reactor
internal import Synchronization
public import Wire

/// Gives each container a root of its own: the image's layers below, a writable directory above, put together by
/// overlayfs when init mounts it in the container's mount namespace (provisioner.md 3 and 4.3).
public final class OverlayProvisioner: Provisioner {
    private let store: ImageStore
    private let directories: ContainerDirectories
    private let pool: BlockingPool
    /// A layer below every image's, with the directories that init mounts on: no container has to make them.
    private let mountPoints: [String]

    /// `path` is the provisioner's own directory, made if it is missing. Blocks; called once, at the daemon's start.
    /// Throws `backend.overlay-unusable` where the file system cannot carry overlays. `spares` container directories
    /// are made beforehand. `mountPoints` are directories that every root gets.
    public init(
        path: String, store: ImageStore, pool: BlockingPool, trash: Trash, housekeeping: Housekeeping,
        mountPoints: [String] = [], spares: Int = 8
    ) throws {
        do {
            directories = try ContainerDirectories(path: path, trash: trash, housekeeping: housekeeping, spares: spares)
            self.mountPoints = mountPoints.isEmpty ? [] : [try directories.makeMountPoints(mountPoints)]
            try OverlayProbe.run(in: directories.spares.directory, root: path)
        } catch {
            throw ContainerError(wrapping: error, step: "opening the provisioner")
        }
        (self.store, self.pool) = (store, pool)
    }

    /// Returns without waiting, unless the disk makes it wait: a launch is two system calls here.
    public func provision(_ id: Mesos.ContainerID, _ image: Mesos.Image) async throws -> Provisioned {
        do {
            return try make(ContainerPath(id), image)
        } catch {
            throw ContainerError(wrapping: error, step: "provisioning")
        }
    }

    private func make(_ container: ContainerPath, _ image: Mesos.Image) throws -> Provisioned {
        let reference = try ImageReference(try ImageStore.name(of: image))
        let use = try store.use(reference, by: container.key)
        do {
            return try make(container, use, reference)
        } catch {
            // With a directory, `destroy` gives the layers free.
            if try !directories.exists(container) { _ = store.release(container.key) }
            throw error
        }
    }

    private func make(
        _ container: ContainerPath, _ use: ImageStore.Use, _ reference: ImageReference
    ) throws -> Provisioned {
        let lower = use.layers.map(store.directories.rootfsPath(of:))
        let first = directories.paths(container, 0)
        try OverlayLimits.check(
            lower: mountPoints + lower, upper: first.upper, work: first.work, image: reference.canonical)
        var number = 0
        if try !directories.create(container, record: try Self.record(lower)) {
            // A second image of the same container adds its layers to the record.
            let earlier = try Self.layers(in: try directories.readRecord(container), of: container)
            let all = earlier + lower.filter { !earlier.contains($0) }
            number = try directories.add(to: container, record: try Self.record(all))
        }
        if use.root != ImageIndex.RootAttributes() { try directories.setRoot(container, number, use.root) }
        let paths = directories.paths(container, number)
        return Provisioned(
            rootfs: paths.rootfs,
            root: .overlayRoot(
                Gantry.Init.V1.OverlayRoot(
                    target: PlanText.trusted(paths.rootfs),
                    lower: (lower.reversed() + mountPoints).map(PlanText.trusted),
                    upper: PlanText.trusted(paths.upper), work: PlanText.trusted(paths.work),
                    // Without it the end of a container waits until the disk has all that was written to its
                    // file system, also by others, for a layer that goes in the next moment (docs/adr/0008).
                    options: [PlanText.trusted("volatile")])),
            ephemeralVolumes: [paths.upper, paths.work])
    }

    public func openRoot(_ id: Mesos.ContainerID) async throws -> Directory {
        do {
            let container = try ContainerPath(id)
            let lower = try Self.layers(in: try directories.readRecord(container), of: container)
            let layers = lower.reversed() + mountPoints
            return try await pool.run { try Directory.detachedOverlay(lower: layers) }
        } catch {
            throw ContainerError(wrapping: error, step: "opening the root file system")
        }
    }

    public func destroy(_ id: Mesos.ContainerID) async throws -> Bool {
        let container = try ContainerPath(id)
        do {
            let removed = try directories.remove(container)
            // Only the last user of a layer whose image is gone makes work for the disk.
            if store.release(container.key) { _ = try await pool.run { [store] in try store.sweep() } }
            return removed
        } catch {
            throw ContainerError(wrapping: error, step: "removing the root file system")
        }
    }

    public func recover(known: [Mesos.ContainerID]) async throws {
        do {
            let known = Set(try known.map { try ContainerPath($0) })
            try await pool.run { [self] in try recover(known) }
            try await store.recover()
        } catch {
            throw ContainerError(wrapping: error, step: "recovering the provisioner")
        }
    }

    private func recover(_ known: Set<ContainerPath>) throws {
        var kept: Set<ContainerPath> = []
        for container in known {
            for depth in 1...container.names.count {
                kept.insert(ContainerPath(names: Array(container.names.prefix(depth))))
            }
        }
        for container in try directories.list() {
            if known.contains(container) {
                let layers = try Self.layers(in: try directories.readRecord(container), of: container)
                store.use(layers.compactMap(store.directories.digest(ofRootfs:)), by: container.key)
            } else if kept.contains(container) {
                // Something nested in it lives on.
                try directories.removeRoot(container)
            } else {
                _ = try directories.remove(container)
            }
        }
        try directories.spares.refill()
    }
}

// MARK: - Records

extension OverlayProvisioner {
    private static func record(_ lower: [String]) throws -> [UInt8] {
        try FramedRecord.encode(Mesos.Slave.ContainerLayers(paths: lower))
    }

    private static func layers(in record: [UInt8]?, of container: ContainerPath) throws -> [String] {
        guard let record else { return [] }
        let subject = "layers of \(container.description)"
        return try FramedRecord.decode(record, as: Mesos.Slave.ContainerLayers.self, path: subject)?.paths ?? []
    }
}
