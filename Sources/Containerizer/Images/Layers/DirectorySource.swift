// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Glibc
internal import Kernel
internal import SystemPackage

/// A directory with a root file system, walked by descriptors: no link is followed, and no other file system is
/// entered (its mount point comes as an empty directory).
///
/// The digest covers, in this order: the text `gantry tree 1` and a newline; then each entry as it is imported, a
/// directory before what is in it, names in the order of their bytes, the directory itself (`.`) first. An entry is the
/// kind (one letter), then permissions, owner, group, modification time (seconds, nanoseconds) and size as decimal
/// numbers with a space before each, a NUL, the path with a NUL, the link text or the path of the first hard link with
/// a NUL, the extended attributes (name, NUL, decimal length, NUL, value) with a NUL after them, then the content. So
/// the same tree gives the same digest wherever it lies.
final class DirectorySource: LayerSource {
    private let root: Directory
    private let rootInformation: FileInformation
    /// The store itself must not be imported: it would grow while it is read.
    private let excluded: FileInformation
    private let isCancelled: () -> Bool
    private var pending: [FilePath] = ["."]
    /// The first name of each file that has several.
    private var linked: [LinkedFile: FilePath] = [:]
    private var content: OpenFile?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    private var hash = SHA256()
    private var done: UInt64 = 0

    private struct LinkedFile: Hashable {
        var inode: UInt64
    }

    /// The file whose content is being read.
    private final class OpenFile {
        let descriptor: Descriptor
        let path: String
        let size: UInt64
        var offset: UInt64 = 0

        init(_ descriptor: consuming Descriptor, path: String, size: UInt64) {
            self.descriptor = descriptor
            (self.path, self.size) = (path, size)
        }
    }

    init(root: Directory, excluding store: FileInformation, isCancelled: @escaping () -> Bool) throws {
        rootInformation = try root.information()
        self.root = root
        excluded = store
        self.isCancelled = isCancelled
        Array("gantry tree 1\n".utf8).withUnsafeBytes { hash.update($0) }
    }

    deinit {
        buffer.deallocate()
    }

    var position: (done: UInt64, total: UInt64) { (done, 0) }

    func next() throws -> LayerEntry? {
        while try nextBlock() != nil {}
        if isCancelled() { throw CancellationError() }
        guard let path = pending.popLast() else { return nil }
        let information = path == "." ? rootInformation : try information(path)
        var entry = LayerEntry(
            path: path.bytes, kind: try kind(path, information), permissions: information.permissions,
            userID: Int64(information.userID), groupID: Int64(information.groupID),
            modifiedSeconds: information.modifiedSeconds, modifiedNanoseconds: information.modifiedNanoseconds)
        if entry.kind == .directory {
            entry.attributes = try enter(path, information)
        } else if case .file(let size) = entry.kind {
            entry.attributes = try open(path, information, size)
        }
        record(entry)
        return entry
    }

    func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
        while let file = content {
            if isCancelled() { throw CancellationError() }
            let offset = file.offset
            let count = try file.descriptor.read(into: buffer, path: file.path)
            file.offset += UInt64(count)
            done += UInt64(count)
            guard count > 0, file.offset <= file.size else {
                content = nil
                if file.offset == file.size { return nil }
                throw ContainerError.brokenArchive(file.path, "the file changed while it was read")
            }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hash.update(bytes)
            // Holes stay holes.
            if bytes.contains(where: { $0 != 0 }) { return (Int64(offset), bytes) }
        }
        return nil
    }

    func finish() throws -> (digest: Digest, size: UInt64) {
        (hash.finish(), hash.count)
    }

    private func information(_ path: FilePath) throws -> FileInformation {
        let parent = try root.directory(path.removingLastComponent().orCurrent)
        return try parent.information(path.lastName)
    }

    private func kind(_ path: FilePath, _ information: FileInformation) throws -> LayerEntry.Kind {
        if information.links > 1, information.kind != .directory, information.device == rootInformation.device {
            let file = LinkedFile(inode: information.inode)
            if let first = linked[file] { return .hardLink(first.bytes) }
            linked[file] = path
        }
        switch information.kind {
        case .regular: return .file(size: information.size)
        case .directory: return .directory
        case .fifo: return .fifo
        case .socket: return .socket
        case .symbolicLink:
            let parent = try root.directory(path.removingLastComponent().orCurrent)
            return .symbolicLink(try parent.linkText(path.lastName))
        case .characterDevice, .blockDevice:
            let number = information.representedDevice
            return .device(
                isBlock: information.kind == .blockDevice,
                major: UInt32(truncatingIfNeeded: (number >> 8 & 0xfff) | (number >> 32 & 0xffff_f000)),
                minor: UInt32(truncatingIfNeeded: (number & 0xff) | (number >> 12 & 0xffff_ff00)))
        }
    }

    /// Lists a directory, so that its entries come next.
    private func enter(_ path: FilePath, _ information: FileInformation) throws -> [ExtendedAttribute] {
        let directory = try root.directory(path)
        guard !information.isSameFile(as: excluded) else {
            throw ContainerError(
                .invalidArgument, code: "image.bad-path", "\(directory.path) is the image store itself",
                subject: directory.path, hint: "import a directory that does not contain the daemon's root")
        }
        // A mount point shows the other file system's root: another device.
        if information.device == rootInformation.device {
            for name in try directory.names().reversed() {
                pending.append(path == "." ? name : path.pushing(name))
            }
        }
        return try attributes(try directory.duplicateDescriptor(), directory.path)
    }

    private func open(_ path: FilePath, _ information: FileInformation, _ size: UInt64) throws -> [ExtendedAttribute] {
        // Never blocks: if a pipe has taken the file's place by now, the comparison below tells.
        let descriptor = try root.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        let subject = root.subject(path)
        let opened = try FileInformation(of: descriptor, path: subject)
        guard opened.isSameFile(as: information), opened.kind == .regular, opened.size == size else {
            throw ContainerError.brokenArchive(subject, "the file changed while it was read")
        }
        let file = OpenFile(descriptor, path: subject, size: size)
        content = file
        return try attributes(try file.descriptor.duplicate(), subject)
    }

    private func attributes(_ file: consuming Descriptor, _ path: String) throws -> [ExtendedAttribute] {
        var found: [ExtendedAttribute] = []
        for name in try file.extendedAttributeNames(path: path) where ExtendedAttribute.isAllowed(name) {
            guard let value = try file.extendedAttribute(name, path: path) else { continue }
            found.append(ExtendedAttribute(name: name, value: value))
        }
        return found
    }

    /// Adds an entry to the digest.
    private func record(_ entry: LayerEntry) {
        var size: UInt64 = 0
        var link: [UInt8] = []
        let letter: Character
        switch entry.kind {
        case .file(let bytes): (letter, size) = ("f", bytes)
        case .directory: letter = "d"
        case .symbolicLink(let text): (letter, link) = ("l", text)
        case .hardLink(let first): (letter, link) = ("h", first)
        case .fifo: letter = "p"
        case .socket: letter = "s"
        case .device(let isBlock, let major, let minor):
            (letter, link) = (isBlock ? "b" : "c", Array("\(major) \(minor)".utf8))
        }
        let numbers = "\(entry.permissions) \(entry.userID) \(entry.groupID) \(entry.modifiedSeconds)"
        var bytes = Array("\(letter) \(numbers) \(entry.modifiedNanoseconds) \(size)".utf8)
        bytes += [0] + entry.path + [0] + link + [0]
        for attribute in entry.attributes {
            bytes += Array(attribute.name.utf8) + [0] + Array("\(attribute.value.count)".utf8) + [0] + attribute.value
        }
        bytes.append(0)
        bytes.withUnsafeBytes { hash.update($0) }
    }
}

extension FilePath {
    /// The bytes without the NUL.
    var bytes: [UInt8] {
        withPlatformString { UnsafeBufferPointer(start: $0, count: strlen($0)).map { UInt8(bitPattern: $0) } }
    }

    /// The last component as a path of its own.
    var lastName: FilePath {
        lastComponent.map { FilePath(root: nil, CollectionOfOne($0)) } ?? self
    }

    /// `.` instead of nothing.
    var orCurrent: FilePath {
        isEmpty ? "." : self
    }
}
