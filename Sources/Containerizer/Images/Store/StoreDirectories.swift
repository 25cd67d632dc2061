// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Kernel
internal import SystemPackage
internal import Wire

/// The store on disk. Every change is one rename, so that whatever interrupts the store, each name is there whole or
/// not at all:
///
///     images/                            0700
///       index                            framed gantry.v1.ListImagesResponse
///       layers/sha256-DIGEST/            by the digest of the uncompressed archive
///         rootfs/                        what overlayfs takes as a lower directory
///         size                           bytes of all files, decimal
///       manifests/sha256-DIGEST/         manifest.json, config.json
///       staging/RANDOM/                  work in progress; everything in it can go
final class StoreDirectories: Sendable {
    static let indexLimit = 64 << 20
    let path: String
    let top: Directory
    let layers: Directory
    let manifests: Directory
    let staging: Directory

    /// `path` is made if it is missing; its parent must exist.
    init(path: String) throws {
        self.path = path
        top = try Self.open(path)
        layers = try top.ensure("layers")
        manifests = try top.ensure("manifests")
        staging = try top.ensure("staging")
    }

    private static func open(_ path: String) throws -> Directory {
        let parent = try Directory(FilePath(path).removingLastComponent().description)
        let top = try parent.ensure(FilePath(path).lastName, mode: 0o700)
        try top.setPermissions(0o700)
        return top
    }

    func rootfsPath(of digest: Digest) -> String {
        "\(path)/layers/\(digest.directoryName)/rootfs"
    }

    /// The layer whose root file system has this path.
    func digest(ofRootfs rootfs: String) -> Digest? {
        let prefix = "\(path)/layers/"
        guard rootfs.hasPrefix(prefix), rootfs.hasSuffix("/rootfs") else { return nil }
        return Digest(directoryName: String(rootfs.dropFirst(prefix.count).dropLast("/rootfs".count)))
    }

    private static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
    }

    /// A new directory for work in progress.
    func makeStaging() throws -> FilePath {
        let name = FilePath(Self.randomName())
        try staging.make(name)
        return name
    }

    func readIndex() throws -> [Gantry.V1.ImageRecord] {
        guard let bytes = try top.readFile("index", limit: Self.indexLimit) else { return [] }
        let subject = top.subject("index")
        return try FramedRecord.decode(bytes, as: Gantry.V1.ListImagesResponse.self, path: subject)?.images ?? []
    }

    func writeIndex(_ records: [Gantry.V1.ImageRecord]) throws {
        let bytes = try FramedRecord.encode(Gantry.V1.ListImagesResponse(images: records))
        try top.replaceFile("index", with: bytes)
    }

    /// What is known about a complete layer.
    func readLayer(_ digest: Digest) throws -> ImageIndex.Layer? {
        let name = FilePath(digest.directoryName)
        guard let bytes = try layers.readFile(name.appending("size"), limit: 64) else { return nil }
        guard let size = UInt64(String(decoding: bytes, as: UTF8.self)) else { return nil }
        let information = try layers.directory(name).information("rootfs")
        return ImageIndex.Layer(
            size: size,
            root: ImageIndex.RootAttributes(
                permissions: information.permissions, user: information.userID, group: information.groupID))
    }

    /// Every layer on disk. The only time that the store is listed is the daemon's start.
    func readLayers() throws -> [Digest: ImageIndex.Layer] {
        var found: [Digest: ImageIndex.Layer] = [:]
        for name in try layers.names() {
            guard let digest = Digest(directoryName: name.description) else { continue }
            if let layer = try readLayer(digest) { found[digest] = layer }
        }
        return found
    }

    /// Takes a directory out of the store in one step; `discard` then removes it.
    func retire(_ name: String, from directory: Directory) throws -> FilePath? {
        let target = FilePath("\(Self.randomName())-gone")
        guard try directory.informationIfPresent(FilePath(name)) != nil else { return nil }
        try directory.rename(FilePath(name), to: staging, as: target)
        return target
    }
}
