// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Glibc
internal import Kernel
internal import Synchronization
internal import SystemPackage
internal import Wire

/// How far an import is.
public struct ImportProgress: Sendable, Hashable {
    public enum Step: String, Sendable, Hashable {
        /// Files are being written.
        case unpack
        /// The files are being brought to disk.
        case sync
        /// The image gets its name.
        case commit
    }

    public var step: Step
    /// Bytes of the source that are read.
    public var doneBytes: UInt64
    /// Bytes of the source; 0 when that is not known.
    public var totalBytes: UInt64
}

/// One import, on one thread: source, staging directory, layer, manifest, name.
final class ImportJob {
    private let store: ImageStore
    private let path: String
    private let reference: String
    private let isCancelled: () -> Bool
    private let progress: (ImportProgress) -> Void
    private var lastReport: UInt64 = 0

    init(
        store: ImageStore, path: String, reference: String, isCancelled: @escaping () -> Bool,
        progress: @escaping (ImportProgress) -> Void
    ) {
        (self.store, self.path, self.reference) = (store, path, reference)
        (self.isCancelled, self.progress) = (isCancelled, progress)
    }

    func run() throws -> Gantry.V1.ImageRecord {
        if isCancelled() { throw CancellationError() }
        let source = try openSource()
        let staging = try store.directories.makeStaging()
        // Also what is left after a commit: of a layer that was there already, everything.
        defer { _ = try? store.directories.staging.removeTree(staging) }
        try store.checkpoint("staging")
        let work = try store.directories.staging.directory(staging)
        let unpackedSize = try unpack(source, into: work)
        let (digest, size) = try source.finish()
        try store.checkpoint("unpacked")
        let documents = ImageDocuments(layer: digest, layerSize: size)
        try writeDocuments(documents, unpackedSize, in: work)
        if isCancelled() { throw CancellationError() }
        progress(ImportProgress(step: .sync, doneBytes: source.position.done, totalBytes: source.position.total))
        // All files at once: syncing seventy thousand one by one takes minutes. A layer that is there was synced then.
        let isKnown = store.index.withLock { $0.layers[digest] != nil }
        if !isKnown { try work.syncFileSystem() }
        try store.checkpoint("synced")
        progress(ImportProgress(step: .commit, doneBytes: source.position.done, totalBytes: source.position.total))
        // What the image replaced, or what a failed commit left, has no user any more.
        defer { _ = try? store.sweep() }
        return try store.writing.withLock { _ in try commit(digest, documents, staging: work, isSynced: !isKnown) }
    }

    private func openSource() throws -> any LayerSource {
        guard path.hasPrefix("/") else {
            throw ContainerError(
                .invalidArgument, code: "image.bad-path", "\(path) is not absolute", subject: path,
                hint: "the daemon has another working directory than you: give the whole path")
        }
        // Non-blocking, because opening a pipe would wait for its writer.
        let number = try systemCall("open", path) { Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        let file = Descriptor(owning: number)
        let information = try FileInformation(of: file, path: path)
        switch information.kind {
        case .directory:
            return try DirectorySource(
                root: Directory(owning: file, path: path), excluding: try store.directories.top.information(),
                isCancelled: isCancelled)
        case .regular where information.size == 0:
            throw ContainerError.emptyImage(path)
        case .regular:
            return try TarSource(
                file: file, path: path, size: information.size, limits: store.limits, isCancelled: isCancelled)
        default:
            throw ContainerError(
                .invalidArgument, code: "image.bad-path", "\(path) is neither a file nor a directory", subject: path,
                hint: "give a tar archive or a directory with a root file system")
        }
    }

    /// The bytes of all files.
    private func unpack(_ source: any LayerSource, into staging: Directory) throws -> UInt64 {
        try staging.make("rootfs", mode: 0o755)
        try staging.setPermissions("rootfs", 0o755)
        let writer = TreeWriter(root: try staging.directory("rootfs"), quota: ImportQuota(store.limits))
        var entries = 0
        while let entry = try source.next() {
            if isCancelled() { throw CancellationError() }
            try refuseImageArchive(entry)
            entries += (try? EntryPath(entry.path))?.isRoot == true ? 0 : 1
            if let file = try writer.begin(entry) {
                while let block = try source.nextBlock() {
                    try writer.write(block.bytes, at: block.offset, to: file)
                    report(source)
                }
                try writer.end(file, entry)
            }
            report(source)
            try store.checkpoint("entry")
        }
        guard entries > 0 else { throw ContainerError.emptyImage(path) }
        try writer.finish()
        return writer.quota.bytes
    }

    /// What `docker save` and OCI layouts have at their top. Unpacked as a root file system it would start nothing.
    private func refuseImageArchive(_ entry: LayerEntry) throws {
        guard case .file = entry.kind else { return }
        guard let top = try? EntryPath(entry.path), top.components.count == 1 else { return }
        for name in ["manifest.json", "oci-layout"] where top.components[0] == Array(name.utf8) {
            throw ContainerError.notARootFileSystem(path, because: name)
        }
    }

    private func report(_ source: any LayerSource) {
        let position = source.position
        guard position.done >= lastReport + (1 << 22) else { return }
        lastReport = position.done
        progress(ImportProgress(step: .unpack, doneBytes: position.done, totalBytes: position.total))
    }

    private func writeDocuments(
        _ documents: ImageDocuments, _ size: UInt64, in staging: Directory
    ) throws {
        try staging.make("layer")
        try staging.rename("rootfs", to: staging.directory("layer"), as: "rootfs")
        try staging.directory("layer").replaceFile("size", with: Array("\(size)".utf8), durable: false)
        try staging.make("manifest")
        let manifest = try staging.directory("manifest")
        try manifest.replaceFile("manifest.json", with: documents.manifest)
        try manifest.replaceFile("config.json", with: documents.config)
    }

    /// Layer, manifest, name: the image can be seen from the last of three renames on. Under the store's lock.
    private func commit(
        _ digest: Digest, _ documents: ImageDocuments, staging: Directory, isSynced: Bool
    ) throws -> Gantry.V1.ImageRecord {
        let directories = store.directories
        // Somebody may have removed the layer in between.
        if !isSynced, store.index.withLock({ $0.layers[digest] == nil }) { try staging.syncFileSystem() }
        try move("layer", from: staging, to: directories.layers, as: digest.directoryName)
        guard let layer = try directories.readLayer(digest) else {
            throw SystemError("open", directories.rootfsPath(of: digest), .noSuchFileOrDirectory)
        }
        store.index.withLock { $0.add(digest, layer) }
        try store.checkpoint("layer")
        try move("manifest", from: staging, to: directories.manifests, as: documents.manifestDigest.directoryName)
        try store.checkpoint("manifest")
        let record = Gantry.V1.ImageRecord(
            reference: reference, manifestDigest: documents.manifestDigest.description, sizeBytes: layer.size,
            createdUnixNano: WallTime.now.nanoseconds, layers: [digest.description])
        var others = store.index.withLock { $0.records }
        others.removeAll { $0.reference == reference }
        try directories.writeIndex(others + [record])
        store.index.withLock { $0.put(record) }
        try store.checkpoint("index")
        return record
    }

    /// What has the name already has the same content.
    private func move(
        _ name: FilePath, from staging: Directory, to target: Directory, as newName: String
    ) throws {
        do {
            try staging.rename(name, to: target, as: FilePath(newName), replacing: false)
        } catch  where error.errno == .fileExists {
            return
        }
        try target.sync()
    }
}
