// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Glibc
internal import Kernel
internal import SystemPackage

/// Writes the entries of a layer below one directory, whatever they are called.
///
/// libarchive's own disk writer is not used: it works with path strings below the process's working directory, checks
/// for links before it opens (so a tree that changes under it fools it), and needs a working directory that a daemon
/// cannot change. Here each entry's directory is opened with openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, and
/// every call works on that descriptor and one name, which is created exclusively. A name that goes through a symbolic
/// link, a link that the archive itself brought included, is refused, as are absolute names and `..`.
///
/// Device nodes are left out, because a container's `/dev` is made by init and never comes from the image, and a node
/// in the store would give the host's devices to whoever reaches the file. Only overlayfs's whiteout (character device
/// 0:0) is made. Sockets mean nothing without their process and are left out too.
final class TreeWriter {
    /// The file that is being written.
    final class OpenFile {
        let descriptor: Descriptor
        let path: String
        let size: UInt64
        var end: UInt64 = 0

        init(_ descriptor: consuming Descriptor, path: String, size: UInt64) {
            self.descriptor = descriptor
            (self.path, self.size) = (path, size)
        }
    }

    private let root: Directory
    private(set) var quota: ImportQuota
    /// Entries mostly come directory by directory.
    private var lastParent: (path: FilePath, directory: Directory)?
    /// Modification times come last: every entry that is added changes its directory's.
    private var directoryTimes: [(path: FilePath, seconds: Int64, nanoseconds: Int64)] = []
    private var skipped: Set<EntryPath> = []

    init(root: Directory, quota: ImportQuota) {
        self.root = root
        self.quota = quota
    }

    /// Device nodes and sockets that were left out.
    var skippedCount: Int { skipped.count }

    /// Makes the entry. For a file, content follows: `write`, then `end`.
    func begin(_ entry: LayerEntry) throws -> OpenFile? {
        do {
            return try make(entry)
        } catch let error as SystemError {
            throw explained(error, entry)
        }
    }

    private func make(_ entry: LayerEntry) throws -> OpenFile? {
        let path = try checked(entry)
        let owner = try owner(entry)
        var size: UInt64 = 0
        if case .file(let bytes) = entry.kind { size = bytes }
        try quota.count(entry.text, size: size, in: root)
        if path.isRoot {
            guard entry.kind == .directory else { throw Self.hostile(entry, "wants to replace the root directory") }
            try finishDirectory(entry, owner, root.duplicateDescriptor(), path.path)
            return nil
        }
        let parent = try parent(of: path, for: entry)
        let name = path.name
        switch entry.kind {
        case .directory:
            try makeDirectory(name, in: parent)
            let made = try parent.directory(name)
            try finishDirectory(entry, owner, made.duplicateDescriptor(), path.path)
            return nil
        case .file(let size):
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
            let file = try replacing(name, in: parent) { () throws(SystemError) in
                try parent.open(name, flags, mode: 0o600)
            }
            return OpenFile(file, path: entry.text, size: size)
        case .symbolicLink(let text):
            try replacing(name, in: parent) { () throws(SystemError) in
                try parent.makeSymbolicLink(name, to: text)
            }
            try parent.setOwner(name, user: owner.user, group: owner.group)
        case .hardLink(let target):
            try makeHardLink(entry, target, path, in: parent)
            return nil
        case .fifo:
            try replacing(name, in: parent) { () throws(SystemError) in try parent.makePipe(name) }
            try finishNode(entry, owner, name, in: parent)
        case .device(isBlock: false, major: 0, minor: 0):
            try replacing(name, in: parent) { () throws(SystemError) in
                try parent.makeWhiteout(name)
            }
            try finishNode(entry, owner, name, in: parent)
        case .device, .socket:
            skipped.insert(path)
            return nil
        }
        try parent.setModified(
            name, seconds: entry.modifiedSeconds, nanoseconds: entry.modifiedNanoseconds.clampedNanoseconds)
        return nil
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64, to file: OpenFile) throws {
        let (end, overflow) = UInt64(clamping: offset).addingReportingOverflow(UInt64(bytes.count))
        guard offset >= 0, !overflow, end <= file.size else {
            throw ContainerError.hostileEntry(file.path, "is longer than it says")
        }
        if bytes.isEmpty { return }
        try quota.spend(UInt64(bytes.count), in: root)
        try file.descriptor.write(bytes, at: Int(offset), path: file.path)
        file.end = max(file.end, end)
    }

    /// The content is complete: owner, mode and the rest. The order matters: a change of owner takes off set-id bits
    /// and capabilities (chown(2)).
    func end(_ file: OpenFile, _ entry: LayerEntry) throws {
        do {
            if file.end < file.size { try file.descriptor.setSize(Int64(clamping: file.size), path: file.path) }
            try finish(entry, try owner(entry), file.descriptor)
            try file.descriptor.setModified(
                seconds: entry.modifiedSeconds, nanoseconds: entry.modifiedNanoseconds.clampedNanoseconds,
                path: file.path)
        } catch let error as SystemError {
            throw explained(error, entry)
        }
    }

    /// After the last entry.
    func finish() throws {
        for (path, seconds, nanoseconds) in directoryTimes.reversed() {
            // A later entry may have replaced the directory.
            guard let directory = try? root.open(path, O_RDONLY | O_DIRECTORY) else { continue }
            try directory.setModified(seconds: seconds, nanoseconds: nanoseconds, path: root.subject(path))
        }
    }
}

// MARK: - Names

extension TreeWriter {
    private func checked(_ entry: LayerEntry) throws -> EntryPath {
        do {
            return try EntryPath(entry.path)
        } catch {
            throw Self.hostile(entry, error.reason)
        }
    }

    private func owner(_ entry: LayerEntry) throws -> (user: UInt32, group: UInt32) {
        // 4294967295 means "leave it" to chown(2).
        guard let user = UInt32(exactly: entry.userID), let group = UInt32(exactly: entry.groupID),
            user != .max, group != .max
        else { throw Self.hostile(entry, "has an owner that is no 32-bit id") }
        return (user, group)
    }

    private func parent(of path: EntryPath, for entry: LayerEntry) throws -> Directory {
        let parentPath = path.parent
        if let lastParent, lastParent.path == parentPath { return lastParent.directory }
        let parent = try openParent(parentPath) ?? makeParents(path, entry)
        lastParent = (parentPath, parent)
        return parent
    }

    /// `nil` when there is no such directory.
    private func openParent(_ path: FilePath) throws(SystemError) -> Directory? {
        do {
            return try root.directory(path, crossingMounts: false)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }

    /// Directories that the archive has no entries for, one by one: each counts.
    private func makeParents(_ path: EntryPath, _ entry: LayerEntry) throws -> Directory {
        var current = try root.directory(".")
        for component in path.components.dropLast() {
            let name = EntryPath.name(component)
            if try current.informationIfPresent(name) == nil {
                try quota.count(entry.text, size: 0, in: root)
                try current.make(name, mode: 0o755)
                try current.setPermissions(name, 0o755)
            }
            current = try current.directory(name, crossingMounts: false)
        }
        return current
    }

    private static func hostile(_ entry: LayerEntry, _ reason: String) -> ContainerError {
        .hostileEntry(entry.text, reason)
    }

    /// What a failed call means for the entry at hand.
    private func explained(_ error: SystemError, _ entry: LayerEntry) -> any Error {
        switch error.errno {
        case .tooManySymbolicLinkLevels: Self.hostile(entry, "goes through a symbolic link")
        case .notDirectory: Self.hostile(entry, "goes through something that is no directory")
        case .improperLink: Self.hostile(entry, "leaves the image")
        case .fileNameTooLong: Self.hostile(entry, "has a name that is too long")
        case .noSuchFileOrDirectory where entry.isHardLink:
            Self.hostile(entry, "is a hard link to a name that the image does not have")
        // ext4 has no room for attributes beyond one block, and says so in these words.
        case .noSpace where error.operation == "fsetxattr", .outOfRange where error.operation == "fsetxattr":
            Self.hostile(entry, "has more extended attributes than the file system takes")
        default: error
        }
    }
}

extension LayerEntry {
    fileprivate var isHardLink: Bool {
        if case .hardLink = kind { true } else { false }
    }
}

extension Int64 {
    /// utimensat(2) refuses anything else.
    fileprivate var clampedNanoseconds: Int64 { Swift.min(Swift.max(self, 0), 999_999_999) }
}

// MARK: - Making entries

extension TreeWriter {
    /// Runs `make`; if the name is taken, what is there goes first, as a later entry of an archive replaces an earlier
    /// one.
    private func replacing<Result: ~Copyable>(
        _ name: FilePath, in parent: Directory, _ make: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        do {
            return try make()
        } catch  where error.errno == .fileExists {
            try parent.removeTree(name)
            return try make()
        }
    }

    private func makeDirectory(_ name: FilePath, in parent: Directory) throws(SystemError) {
        do {
            try parent.make(name, mode: 0o700)
        } catch  where error.errno == .fileExists {
            if try parent.information(name).kind == .directory { return }
            try parent.unlink(name)
            try parent.make(name, mode: 0o700)
        }
    }

    /// A link to an entry that was left out is left out too.
    private func makeHardLink(
        _ entry: LayerEntry, _ target: [UInt8], _ path: EntryPath, in parent: Directory
    ) throws {
        guard let targetPath = try? EntryPath(target) else {
            throw Self.hostile(
                entry, "is a hard link that leaves the image, to \(String(decoding: target, as: UTF8.self))")
        }
        if skipped.contains(targetPath) {
            skipped.insert(path)
            return
        }
        // Removing the target in favour of a link to itself would lose it.
        if targetPath == path { return }
        let (name, targetName) = (path.name, targetPath.name)
        guard let holder = try openParent(targetPath.parent) else {
            throw SystemError("linkat", targetPath.path.description, .noSuchFileOrDirectory)
        }
        guard try holder.information(targetName).kind != .directory else {
            throw Self.hostile(entry, "is a hard link to a directory")
        }
        try replacing(name, in: parent) { () throws(SystemError) in
            try holder.link(targetName, to: parent, as: name)
        }
    }

    private func finishDirectory(
        _ entry: LayerEntry, _ owner: (user: UInt32, group: UInt32), _ directory: consuming Descriptor, _ path: FilePath
    ) throws {
        try finish(entry, owner, directory)
        directoryTimes.append((path, entry.modifiedSeconds, entry.modifiedNanoseconds.clampedNanoseconds))
    }

    private func finish(
        _ entry: LayerEntry, _ owner: (user: UInt32, group: UInt32), _ file: borrowing Descriptor
    ) throws(SystemError) {
        let path = entry.text
        try file.setOwner(user: owner.user, group: owner.group, path: path)
        try file.setPermissions(entry.permissions, path: path)
        for attribute in entry.attributes {
            try file.setExtendedAttribute(attribute.name, attribute.value, path: path)
        }
    }

    /// A node that cannot be opened.
    private func finishNode(
        _ entry: LayerEntry, _ owner: (user: UInt32, group: UInt32), _ name: FilePath, in parent: Directory
    ) throws(SystemError) {
        try parent.setOwner(name, user: owner.user, group: owner.group)
        try parent.setPermissions(name, entry.permissions)
    }
}
