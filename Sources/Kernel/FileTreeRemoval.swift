// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
public import SystemPackage

extension Directory {
    /// Removes `name` and everything below it. False when there was nothing.
    ///
    /// Works by descriptors only: no link is followed, and a mount point below ends the removal with an error
    /// (`EXDEV` or `EBUSY`) before anything in it is touched. The tree may be as deep as it likes: at most 32
    /// descriptors are open, and the stack does not grow. Immutable and append-only flags (ioctl_iflags(2)) are taken
    /// off where they are in the way. After an error the removal can be tried again.
    @discardableResult
    public func removeTree(_ name: FilePath) throws(SystemError) -> Bool {
        let removal = FileTreeRemoval(base: raw, path: path)
        let bytes = name.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1)) }
        return try bytes.withUnsafeBufferPointer { (name) throws(SystemError) in
            guard let name = name.baseAddress else { return false }
            return try removal.remove(name)
        }
    }

    /// Removes everything in the directory, which stays.
    public func removeContents() throws(SystemError) {
        for name in try names() { try removeTree(name) }
    }
}

/// One removal in progress: the way from the base down to the directory that is being emptied.
private final class FileTreeRemoval {
    /// A directory on the way. `reader` is nil while the directory is closed because the way has become long.
    private final class Level {
        let name: [CChar]
        let device: UInt64
        let inode: UInt64
        var reader: DirectoryReader?
        var removedSinceRewind = false

        init(name: UnsafePointer<CChar>, information: FileInformation, reader: DirectoryReader) {
            self.name = Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
            device = information.device
            inode = information.inode
            self.reader = reader
        }
    }

    private static let openLevels = 32
    private let base: Int32
    private let path: String
    private var levels: [Level] = []

    init(base: Int32, path: String) {
        self.base = base
        self.path = path
    }

    func remove(_ name: UnsafePointer<CChar>) throws(SystemError) -> Bool {
        guard try removeEntry(name, in: base, type: UInt8(DT_UNKNOWN)) else { return false }
        while let level = levels.last {
            guard let reader = level.reader else { break }
            if let entry = try reader.next() {
                if try removeEntry(entry.name, in: reader.descriptor.raw, type: entry.type) {
                    level.removedSinceRewind = true
                }
            } else {
                try leave(level, reader)
            }
        }
        return true
    }

    /// Unlinks a file, or enters a directory. False when the name is gone already.
    private func removeEntry(_ name: UnsafePointer<CChar>, in parent: Int32, type: UInt8) throws(SystemError) -> Bool {
        do {
            if type == UInt8(DT_DIR) { return try enter(name, in: parent) }
            try unlink(name, in: parent, flags: 0)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory: return false
            case .isDirectory: return try enter(name, in: parent)
            case .notDirectory: try unlink(name, in: parent, flags: 0)
            default: throw error
            }
        }
        return true
    }

    private func enter(_ name: UnsafePointer<CChar>, in parent: Int32) throws(SystemError) -> Bool {
        let resolve = GANTRY_RESOLVE_BENEATH | GANTRY_RESOLVE_NO_SYMLINKS | GANTRY_RESOLVE_NO_XDEV
        let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        let opened = try systemCall("openat2", subject(name)) { gantry_openat2(parent, name, flags, 0, resolve) }
        let descriptor = Descriptor(owning: opened)
        let information = try FileInformation(of: descriptor, path: subject(name))
        levels.append(Level(name: name, information: information, reader: DirectoryReader(owning: descriptor)))
        if levels.count > Self.openLevels { levels[levels.count - 1 - Self.openLevels].reader = nil }
        return true
    }

    /// The directory has no more entries: goes back to its parent and removes it.
    private func leave(_ level: Level, _ reader: DirectoryReader) throws(SystemError) {
        let above = levels.count > 1 ? levels[levels.count - 2] : nil
        if let above, above.reader == nil { above.reader = try reopen(above, from: reader) }
        let parent = above?.reader?.descriptor.raw ?? base
        do {
            try level.name.withUnsafeBufferPointer { (name) throws(SystemError) in
                guard let name = name.baseAddress else { return }
                try unlink(name, in: parent, flags: AT_REMOVEDIR)
            }
        } catch  where error.errno == .directoryNotEmpty && level.removedSinceRewind {
            // Removing entries while reading may make a file system skip some.
            level.removedSinceRewind = false
            return try reader.rewind()
        } catch  where error.errno == .noSuchFileOrDirectory {
            // Somebody else removed it: what was wanted.
        }
        levels.removeLast()
    }

    /// Opens the parent of the directory that `reader` reads, and makes sure that it is the one we came from.
    private func reopen(_ level: Level, from reader: DirectoryReader) throws(SystemError) -> DirectoryReader {
        let number = reader.descriptor.raw
        let opened = try systemCall("openat", subject("..")) {
            openat(number, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        let descriptor = Descriptor(owning: opened)
        let information = try FileInformation(of: descriptor, path: subject(".."))
        guard information.device == level.device, information.inode == level.inode else {
            throw SystemError("openat", subject(".."), .staleNFSFileHandle)
        }
        return DirectoryReader(owning: descriptor)
    }

    private func unlink(_ name: UnsafePointer<CChar>, in parent: Int32, flags: Int32) throws(SystemError) {
        do {
            try systemCall("unlinkat", subject(name)) { unlinkat(parent, name, flags) }
        } catch  where error.errno == .notPermitted {
            // EPERM also means "is a directory" on some file systems.
            var status = stat()
            if fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0, flags == 0, status.st_mode & S_IFMT == S_IFDIR
            {
                throw SystemError(error.operation, error.subject, .isDirectory)
            }
            clearFlags(parent)
            if [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
                let file = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                if file >= 0 {
                    clearFlags(file)
                    close(file)
                }
            }
            try systemCall("unlinkat", subject(name)) { unlinkat(parent, name, flags) }
        }
    }

    /// Best effort: the unlink that is tried again afterwards tells.
    private func clearFlags(_ file: Int32) {
        var flags: Int32 = 0
        let inTheWay = GANTRY_FS_IMMUTABLE | GANTRY_FS_APPEND
        guard gantry_inode_flags(file, &flags) == 0, flags & inTheWay != 0 else { return }
        flags &= ~inTheWay
        _ = gantry_set_inode_flags(file, &flags)
    }

    /// The path for a message; the middle of a long way is left out.
    private func subject(_ name: UnsafePointer<CChar>) -> String {
        let way = levels.count > 8 ? "\(path)/.../" : "\(path)/"
        let names = levels.suffix(8).map { $0.name.withUnsafeBufferPointer { String(cString: $0.baseAddress ?? name) } }
        return way + (names + [String(cString: name)]).joined(separator: "/")
    }
}
