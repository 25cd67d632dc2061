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
///
/// A new directory costs ext4 ten times as much as a rename, and a container needs nine of them. So some are made
/// beforehand, with an open `layers` file: a launch then writes the record and renames the whole in two system calls,
/// and the record is there before the directories are. The record is not synced: it describes what a reboot ends.
final class ContainerDirectories: Sendable {
    /// One directory that waits for its container.
    private struct Spare: Sendable {
        var name: FilePath
        /// The `layers` file, owned by the spare.
        var layers: Int32
    }

    private static let scratch = FilePath("backends/overlay/scratch")
    private static let rootfses = FilePath("backends/overlay/rootfses")
    let path: String
    let containers: Directory
    let spares: Directory
    private let wanted: Int
    private let waiting = Mutex<[Spare]>([])

    /// Opens the directories below `path`, which is made if it is missing.
    init(path: String, spares wanted: Int) throws {
        let parent = try Directory(FilePath(path).removingLastComponent().description)
        let top = try parent.ensure(FilePath(path).lastName, mode: 0o700)
        try top.setPermissions(0o700)
        containers = try top.ensure("containers")
        spares = try top.ensure("spares")
        self.path = path
        self.wanted = wanted
    }

    deinit {
        waiting.withLock { for spare in $0 { close(spare.layers) } }
    }

    /// Makes the first root of a container, with its record. False when the container has a directory already.
    func create(_ container: ContainerPath, record: [UInt8]) throws(SystemError) -> Bool {
        let spare = try takeSpare()
        do {
            let layers = Descriptor(owning: spare.layers)
            try layers.write(record, path: spares.subject(spare.name.appending("layers")))
            try place(spare.name, as: container)
            return true
        } catch {
            _ = try? spares.removeTree(spare.name)
            if error.errno == .fileExists { return false }
            throw error
        }
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

    /// Removes the container's directory with all that is nested in it; the record goes last, so that a removal that
    /// fails half way can be tried again, after a restart too. False when there was nothing.
    func remove(_ container: ContainerPath) throws(SystemError) -> Bool {
        guard try exists(container) else { return false }
        let parent = try containers.directory(container.path.removingLastComponent().orCurrent)
        let directory = try parent.directory(container.path.lastName)
        try directory.removeTree("containers")
        try directory.removeTree("backends")
        return try parent.removeTree(container.path.lastName)
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

// MARK: - Spares

extension ContainerDirectories {
    /// Makes spares until there are enough. Blocks; a failure here shows at the next launch.
    func refill() throws(SystemError) {
        while waiting.withLock({ $0.count }) < wanted {
            let spare = try makeSpare()
            waiting.withLock { $0.append(spare) }
        }
    }

    /// Takes over the spares of an earlier daemon and removes what is not whole. Once, before any other call.
    func adoptSpares() throws(SystemError) {
        for name in try spares.names() {
            if let layers = try? spares.open(name.appending("layers"), O_WRONLY | O_NOFOLLOW),
                let information = try? FileInformation(of: layers, path: spares.subject(name)), information.size == 0,
                !name.description.hasPrefix(".")
            {
                let spare = Spare(name: name, layers: layers.release())
                waiting.withLock { $0.append(spare) }
            } else {
                try spares.removeTree(name)
            }
        }
    }

    private func takeSpare() throws(SystemError) -> Spare {
        if let spare = waiting.withLock({ $0.popLast() }) { return spare }
        return try makeSpare()
    }

    /// Under a name with a dot first, so that only whole ones are taken over.
    private func makeSpare() throws(SystemError) -> Spare {
        let name = FilePath(String(UInt64.random(in: .min ... .max), radix: 36))
        let unfinished = FilePath(".\(name)")
        try spares.make(unfinished)
        do {
            let directory = try spares.directory(unfinished)
            let layers = try directory.open("layers", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try directory.make("backends")
            try directory.make("backends/overlay")
            try directory.make(Self.rootfses)
            try directory.make(Self.scratch)
            try directory.make(Self.scratch.appending("0"))
            try Self.makeRoot(0, directory.directory(Self.rootfses), directory.directory(Self.scratch))
            try spares.rename(unfinished, to: spares, as: name)
            return Spare(name: name, layers: layers.release())
        } catch {
            _ = try? spares.removeTree(unfinished)
            throw error
        }
    }

    /// The mount point, and upper and work directory in `scratch/NUMBER`. The upper directory's mode is that of the
    /// container's `/`.
    private static func makeRoot(
        _ number: Int, _ rootfses: Directory, _ scratch: Directory
    ) throws(SystemError) {
        try rootfses.make(FilePath("\(number)"), mode: 0o755)
        let own = try scratch.directory(FilePath("\(number)"))
        try own.make("workdir")
        try own.make("upperdir")
        try own.setPermissions("upperdir", 0o755)
    }

    /// Gives the spare its place. The parents are made where they are missing: a nested container may have an image
    /// although its parent has none.
    private func place(_ spare: FilePath, as container: ContainerPath) throws(SystemError) {
        do {
            try spares.rename(spare, to: containers, as: container.path, replacing: false)
        } catch  where error.errno == .noSuchFileOrDirectory && container.names.count > 1 {
            var directory = try containers.directory(".")
            for name in container.names.dropLast() {
                directory = try directory.ensure(FilePath(name)).ensure("containers")
            }
            try spares.rename(spare, to: containers, as: container.path, replacing: false)
        }
    }
}
