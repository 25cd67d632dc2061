// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
public import SystemPackage

/// An open directory: the base for names below it.
///
/// No function here follows a symbolic link below the directory or leaves it (openat2(2) with RESOLVE_BENEATH and
/// RESOLVE_NO_SYMLINKS): a link in the way is `ELOOP`, a way out `EXDEV`. The functions that take a `name` want a
/// single component, or a path through directories that nobody else can change.
public final class Directory: Sendable {
    let descriptor: Descriptor
    /// Where the directory was when it was opened; for messages.
    public let path: String

    public var raw: Int32 { descriptor.raw }

    /// Takes over a descriptor of a directory.
    public init(owning descriptor: consuming Descriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a directory by a path that the operator gave; links in it are followed.
    public convenience init(_ path: String) throws(SystemError) {
        let number = try systemCall("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        self.init(owning: Descriptor(owning: number), path: path)
    }

    /// The path of something below, for messages.
    public func subject(_ below: FilePath) -> String {
        below.isEmpty ? path : "\(path)/\(below)"
    }

    /// Opens what `path` names below the directory. `O_CLOEXEC` is added.
    public func open(
        _ path: FilePath, _ flags: Int32, mode: UInt32 = 0, crossingMounts: Bool = true
    ) throws(SystemError) -> Descriptor {
        var resolve = GANTRY_RESOLVE_BENEATH | GANTRY_RESOLVE_NO_SYMLINKS | GANTRY_RESOLVE_NO_MAGICLINKS
        if !crossingMounts { resolve |= GANTRY_RESOLVE_NO_XDEV }
        let number = raw
        let opened = try systemCall("openat2", subject(path)) {
            path.withPlatformString {
                gantry_openat2(number, $0, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), UInt64(mode), resolve)
            }
        }
        return Descriptor(owning: opened)
    }

    public func directory(
        _ path: FilePath, crossingMounts: Bool = true
    ) throws(SystemError) -> Directory {
        let opened = try open(path, O_RDONLY | O_DIRECTORY, crossingMounts: crossingMounts)
        return Directory(owning: opened, path: subject(path))
    }

    /// Makes a directory; `EEXIST` when the name is taken. `mode` is applied whatever the umask says only through
    /// `setPermissions`.
    public func make(_ name: FilePath, mode: UInt32 = 0o700) throws(SystemError) {
        let number = raw
        try systemCall("mkdirat", subject(name)) { name.withPlatformString { mkdirat(number, $0, mode) } }
    }

    /// Makes a directory unless there is one, and opens it.
    public func ensure(_ name: FilePath, mode: UInt32 = 0o700) throws(SystemError) -> Directory {
        do {
            try make(name, mode: mode)
        } catch  where error.errno == .fileExists {
            // The open below tells whether it is a directory.
        }
        return try directory(name)
    }

    /// Moves an entry into another directory (or gives it another name). With `replacing: false` an existing target
    /// is `EEXIST` (renameat2(2) with RENAME_NOREPLACE).
    public func rename(
        _ name: FilePath, to target: Directory, as newName: FilePath, replacing: Bool = true
    ) throws(SystemError) {
        let (from, to) = (raw, target.raw)
        try systemCall("renameat2", "\(subject(name)) to \(target.subject(newName))") {
            name.withPlatformString { old in
                newName.withPlatformString { new in
                    replacing ? renameat(from, old, to, new) : gantry_rename_exclusive(from, old, to, new)
                }
            }
        }
    }

    /// Removes a name that is not a directory.
    public func unlink(_ name: FilePath) throws(SystemError) {
        let number = raw
        try systemCall("unlinkat", subject(name)) { name.withPlatformString { unlinkat(number, $0, 0) } }
    }

    public func information(_ name: FilePath) throws(SystemError) -> FileInformation {
        var status = stat()
        let number = raw
        try systemCall("fstatat", subject(name)) {
            name.withPlatformString { fstatat(number, $0, &status, AT_SYMLINK_NOFOLLOW) }
        }
        return FileInformation(status)
    }

    /// `nil` when there is nothing of that name.
    public func informationIfPresent(_ name: FilePath) throws(SystemError) -> FileInformation? {
        do {
            return try information(name)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }

    public func information() throws(SystemError) -> FileInformation {
        try FileInformation(of: descriptor, path: path)
    }

    /// fchmod(2): the mode exactly, without the umask.
    public func setPermissions(_ mode: UInt32) throws(SystemError) {
        let number = raw
        try systemCall("fchmod", path) { fchmod(number, mode) }
    }

    /// The text of a symbolic link.
    public func linkText(_ name: FilePath) throws(SystemError) -> [UInt8] {
        let number = raw
        var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = try systemCall("readlinkat", subject(name)) {
            text.withUnsafeMutableBytes { buffer in
                name.withPlatformString { name in
                    let room = buffer.assumingMemoryBound(to: CChar.self)
                    return room.baseAddress.map { readlinkat(number, name, $0, room.count) } ?? 0
                }
            }
        }
        return Array(text.prefix(length))
    }

    /// Writes the names in the directory to disk (fsync(2)).
    public func sync() throws(SystemError) {
        let number = raw
        try systemCall("fsync", path) { fsync(number) }
    }

    /// Writes everything on the directory's file system to disk (syncfs(2)).
    public func syncFileSystem() throws(SystemError) {
        let number = raw
        try systemCall("syncfs", path) { gantry_syncfs(number) }
    }
}
