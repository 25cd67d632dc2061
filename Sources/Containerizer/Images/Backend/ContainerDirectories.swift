// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Glibc
internal import Kernel
internal import Synchronization
internal import SystemPackage

/// The directories of containers on disk:
///
///     provisioner/                                     0700
///       containers/ID/                                 nested: containers/ID/containers/ID
///         layers                                       framed mesos.slave.ContainerLayers
///         backends/overlay/rootfses/N/                 where the root is mounted
///         backends/overlay/scratch/N/{upperdir,workdir}
///       spares/RANDOM/                                 the same, made before somebody asks
///       mountpoints/                                   the lowest layer of every root
///
/// The `layers` record is there before the directories are, because both come with one rename. It is not synced: it
/// describes what a reboot ends.
final class ContainerDirectories: Sendable {
    static let scratch = FilePath("backends/overlay/scratch")
    static let rootfses = FilePath("backends/overlay/rootfses")
    let path: String
    let containers: Directory
    let spares: SpareDirectories
    private let top: Directory
    private let trash: Trash

    /// Opens the directories below `path`, which is made if it is missing.
    init(path: String, trash: Trash, housekeeping: Housekeeping, spares wanted: Int) throws {
        let parent = try Directory(FilePath(path).removingLastComponent().description)
        top = try parent.ensure(FilePath(path).lastName, mode: 0o700)
        try top.setPermissions(0o700)
        containers = try top.ensure("containers")
        spares = try SpareDirectories(
            directory: try top.ensure("spares"), wanted: wanted, housekeeping: housekeeping,
            isBlank: { (try? $0.information("layers"))?.size == 0 },
            fill: Self.fill)
        self.path = path
        self.trash = trash
    }

    /// Makes the layer of mount points; returns its path.
    func makeMountPoints(_ paths: [String]) throws(SystemError) -> String {
        var directory = try top.ensure("mountpoints", mode: 0o755)
        try directory.setPermissions(0o755)
        for path in paths {
            let base = directory
            for name in path.split(separator: "/") {
                directory = try directory.ensure(FilePath(String(name)), mode: 0o755)
            }
            directory = base
        }
        return directory.path
    }

    /// Makes the first root of a container, with its record. False when the container has a directory already.
    func create(_ container: ContainerPath, record: [UInt8]) throws(SystemError) -> Bool {
        let spare = try spares.take()
        do {
            let file = spare.appending("layers")
            let layers = try spares.directory.open(file, O_WRONLY | O_NOFOLLOW)
            try layers.write(record, path: spares.directory.subject(file))
            try place(spare, as: container)
            return true
        } catch {
            _ = try? spares.directory.removeTree(spare)
            if error.errno == .fileExists { return false }
            throw error
        }
    }

    /// A directory with one root and an empty record.
    private static func fill(_ spare: Directory) throws(SystemError) {
        _ = try spare.open("layers", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try spare.make("backends")
        try spare.make("backends/overlay")
        try spare.make(rootfses)
        try spare.make(scratch)
        try spare.make(scratch.appending("0"))
        try makeRoot(0, spare.directory(rootfses), spare.directory(scratch))
    }

    /// The mount point, and upper and work directory in `scratch/NUMBER`. The upper directory's mode is that of the
    /// container's `/`.
    private static func makeRoot(_ number: Int, _ rootfses: Directory, _ scratch: Directory) throws(SystemError) {
        try rootfses.make(FilePath("\(number)"), mode: 0o755)
        let own = try scratch.directory(FilePath("\(number)"))
        try own.make("workdir")
        try own.make("upperdir")
        try own.setPermissions("upperdir", 0o755)
    }

    /// Makes one more root in the container's directory; returns its number. The record comes first.
    func add(to container: ContainerPath, record: [UInt8]) throws(SystemError) -> Int {
        let directory = try containers.directory(container.path)
        try directory.replaceFile("layers", with: record, durable: false)
        let backends = try directory.ensure("backends")
        let overlay = try backends.ensure("overlay")
        let rootfses = try overlay.ensure("rootfses")
        let scratch = try overlay.ensure("scratch")
        var number = 0
        while true {
            do {
                try scratch.make(FilePath("\(number)"))
                break
            } catch  where error.errno == .fileExists {
                number += 1
            }
        }
        try Self.makeRoot(number, rootfses, scratch)
        return number
    }

    /// The bytes of the container's `layers` file; `nil` when there is none.
    func readRecord(_ container: ContainerPath) throws(SystemError) -> [UInt8]? {
        do {
            return try containers.directory(container.path).readFile("layers", limit: 16 << 20)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }

    func exists(_ container: ContainerPath) throws(SystemError) -> Bool {
        do {
            return try containers.directory(container.path).raw >= 0
        } catch  where error.errno == .noSuchFileOrDirectory {
            return false
        }
    }

    /// Sets mode and owner of what becomes the container's `/`.
    func setRoot(_ container: ContainerPath, _ number: Int, _ attributes: ImageIndex.RootAttributes) throws(SystemError)
    {
        let upper = try containers.directory(container.path.pushing(Self.scratch).appending("\(number)/upperdir"))
        try upper.duplicateDescriptor().setOwner(user: attributes.user, group: attributes.group, path: upper.path)
        try upper.setPermissions(attributes.permissions)
    }

    /// Removes the container's directory with all that is nested in it, at once. False when there was nothing.
    func remove(_ container: ContainerPath) throws(SystemError) -> Bool {
        guard try exists(container) else { return false }
        let parent = try containers.directory(container.path.removingLastComponent().orCurrent)
        return try trash.discard(container.path.lastName, of: parent)
    }

    /// Removes the container's own root, not what is nested in it.
    func removeRoot(_ container: ContainerPath) throws(SystemError) {
        let directory = try containers.directory(container.path)
        try directory.removeTree("backends")
        try directory.removeTree("layers")
    }

    /// The host paths of a root.
    func paths(_ container: ContainerPath, _ number: Int) -> (rootfs: String, upper: String, work: String) {
        let base = "\(path)/containers/\(container.path)/backends/overlay"
        return ("\(base)/rootfses/\(number)", "\(base)/scratch/\(number)/upperdir", "\(base)/scratch/\(number)/workdir")
    }

    /// Every container that has a directory, parents before what is nested in them.
    func list() throws(SystemError) -> [ContainerPath] {
        var found: [ContainerPath] = []
        var pending = [ContainerPath(names: [])]
        while let container = pending.popLast() {
            let directory: Directory
            do {
                let path = container.names.isEmpty ? FilePath(".") : container.path.appending("containers")
                directory = try containers.directory(path)
            } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
                continue
            }
            for name in try directory.names() where try directory.information(name).kind == .directory {
                let child = container.child(name.description)
                found.append(child)
                pending.append(child)
            }
        }
        return found
    }
}

extension ContainerDirectories {
    /// Gives the spare its place. The parents are made where they are missing: a nested container may have an image
    /// although its parent has none.
    private func place(_ spare: FilePath, as container: ContainerPath) throws(SystemError) {
        do {
            try spares.directory.rename(spare, to: containers, as: container.path, replacing: false)
        } catch  where error.errno == .noSuchFileOrDirectory && container.names.count > 1 {
            var directory = try containers.directory(".")
            for name in container.names.dropLast() {
                directory = try directory.ensure(FilePath(name)).ensure("containers")
            }
            try spares.directory.rename(spare, to: containers, as: container.path, replacing: false)
        }
    }
}
