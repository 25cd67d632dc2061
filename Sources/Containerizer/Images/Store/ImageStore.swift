// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Kernel
public import Reactor
internal import Synchronization
internal import SystemPackage
public import Wire

/// The images on this machine: names, layers and who uses them.
///
/// Names and uses are answered from memory. What touches the disk runs on the blocking pool; imports run one after the
/// other on a thread of their own, so that a long one holds nothing else up.
public final class ImageStore: Sendable {
    let directories: StoreDirectories
    let limits: ImportLimits
    let index: Mutex<ImageIndex>
    /// Held by whoever changes the store on disk, on a thread that may block; `index` is held for moments only.
    let writing = Mutex(())
    let pool: BlockingPool
    private let imports = BlockingPool(threads: 1)
    /// What an earlier daemon left in `staging`.
    private let leftovers: [FilePath]
    /// Called with the name of each step of an import; tests interrupt there.
    let checkpoint: @Sendable (String) throws -> Void

    /// Opens the store in `path`, which is made if it is missing. Blocks; called once, at the daemon's start.
    public convenience init(path: String, pool: BlockingPool, limits: ImportLimits = ImportLimits()) throws {
        try self.init(path: path, pool: pool, limits: limits, checkpoint: { _ in })
    }

    init(
        path: String, pool: BlockingPool, limits: ImportLimits, checkpoint: @escaping @Sendable (String) throws -> Void
    ) throws {
        do {
            directories = try StoreDirectories(path: path)
            index = Mutex(ImageIndex(records: try directories.readIndex(), layers: try directories.readLayers()))
            leftovers = try directories.staging.names()
        } catch {
            throw ContainerError(wrapping: error, step: "opening the image store")
        }
        self.pool = pool
        self.limits = limits
        self.checkpoint = checkpoint
    }

    /// Ends the import thread, after the imports that are queued.
    public func shutdown() {
        imports.shutdown()
    }

    /// All images, by name.
    public func list() -> [Gantry.V1.ImageRecord] {
        index.withLock { $0.records }
    }

    /// What is known about one image. Throws `image.not-found`, `image.bad-reference`.
    public func record(of reference: String) throws -> Gantry.V1.ImageRecord {
        let parsed = try ImageReference(reference)
        guard let record = index.withLock({ $0.resolve(parsed) }) else {
            throw ContainerError.unknownImage(reference)
        }
        return record
    }

    /// The record with the manifest and the configuration, as JSON.
    public func inspect(_ reference: String) async throws -> Gantry.V1.InspectImageResponse {
        let record = try record(of: reference)
        guard let digest = Digest(text: record.manifestDigest) else { throw ContainerError.unknownImage(reference) }
        return try await pool.run { [directories] in
            let name = FilePath(digest.directoryName)
            do {
                let manifest = try directories.manifests.readFile(name.appending("manifest.json"), limit: 4 << 20)
                let config = try directories.manifests.readFile(name.appending("config.json"), limit: 4 << 20)
                return Gantry.V1.InspectImageResponse(
                    image: record, manifestJSON: String(decoding: manifest ?? [], as: UTF8.self),
                    configJSON: String(decoding: config ?? [], as: UTF8.self))
            } catch {
                throw ContainerError(wrapping: error, step: "inspecting \(reference)")
            }
        }
    }

    /// The image that a container names. Throws `image.unsupported-type` for anything but Docker's, and
    /// `image.pull-unsupported` when the image asks for a fresh copy (`cached: false`), which only a registry has.
    public func resolve(_ image: Mesos.Image) throws -> Gantry.V1.ImageRecord {
        try record(of: try Self.name(of: image))
    }

    static func name(of image: Mesos.Image) throws -> String {
        guard image.type == .docker, let docker = image.docker else {
            throw ContainerError(
                .invalidArgument, code: "image.unsupported-type", "the image is not of type DOCKER", subject: "image",
                hint: "import the image's root file system and name it as image.docker.name")
        }
        guard image.cachedOrDefault else {
            throw ContainerError(
                .failedPrecondition, code: "image.pull-unsupported",
                "image \(docker.name) asks for a fresh copy (cached: false), and imported images have no registry",
                subject: docker.name, hint: "leave cached unset, and import the image again to renew it")
        }
        return docker.name
    }

    /// Imports a tar archive (plain or packed with gzip, zstd or xz) or a directory with a root file system, as an image
    /// of one layer. Importing a name again replaces it; content that is there already is stored once.
    ///
    /// `progress` is called on the import's thread and must not block. Cancelling the task ends the import soon. Until
    /// the last step nothing can be seen; after an error nothing is left.
    public func importImage(
        path: String, reference: String, progress: @escaping @Sendable (ImportProgress) -> Void = { _ in }
    ) async throws -> Gantry.V1.ImageRecord {
        let name = try ImageReference(reference)
        guard name.digest == nil else {
            throw ContainerError(
                .invalidArgument, code: "image.bad-reference", "\(reference): an import has no digest beforehand",
                subject: reference, hint: "name it NAME or NAME:TAG")
        }
        let cancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await imports.run { [self] in
                do {
                    let job = ImportJob(
                        store: self, path: path, reference: name.canonical, isCancelled: { cancelled.isSet },
                        progress: progress)
                    return try job.run()
                } catch {
                    throw ContainerError(wrapping: error, step: "importing \(name.canonical)")
                }
            }
        } onCancel: {
            cancelled.set()
        }
    }

    /// Removes what an earlier daemon did not finish, and the layers and manifests that nobody needs. Called once, when
    /// the uses of all containers are known.
    func recover() async throws {
        try await pool.run { [self] in
            for name in leftovers { try directories.staging.removeTree(name) }
            try sweep()
            try writing.withLock { _ in
                // Directories without a readable size are no layers.
                let layers = Set(index.withLock { $0.layers.keys.map(\.directoryName) })
                for name in try directories.layers.names() where !layers.contains(name.description) {
                    try directories.layers.removeTree(name)
                }
            }
        }
    }
}

/// Set once, from any thread.
final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() {
        flag.store(true, ordering: .relaxed)
    }
}
