// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
public import SystemPackage

/// Entries that are no plain files, and what an entry has besides its content. Nothing here follows a link.
extension Directory {
    /// `text` is stored as it is; it must hold no NUL.
    public func makeSymbolicLink(_ name: FilePath, to text: [UInt8]) throws(SystemError) {
        let number = raw
        let terminated = text.map { CChar(bitPattern: $0) } + [0]
        try systemCall("symlinkat", subject(name)) { name.withPlatformString { symlinkat(terminated, number, $0) } }
    }

    /// A second name for the file `name`: `newName` in `target`.
    public func link(
        _ name: FilePath, to target: Directory, as newName: FilePath
    ) throws(SystemError) {
        let (from, to) = (raw, target.raw)
        try systemCall("linkat", target.subject(newName)) {
            name.withPlatformString { old in newName.withPlatformString { linkat(from, old, to, $0, 0) } }
        }
    }

    /// A named pipe with no permissions.
    public func makePipe(_ name: FilePath) throws(SystemError) {
        let number = raw
        try systemCall("mknodat", subject(name)) { name.withPlatformString { mknodat(number, $0, S_IFIFO, 0) } }
    }

    /// The character device 0:0, which overlayfs takes for "nothing of this name" (mknod(2)). No driver stands behind
    /// it.
    public func makeWhiteout(_ name: FilePath) throws(SystemError) {
        let number = raw
        try systemCall("mknodat", subject(name)) { name.withPlatformString { mknodat(number, $0, S_IFCHR, 0) } }
    }

    /// Owner and group of an entry. Takes set-id bits and capabilities off a file (chown(2)).
    public func setOwner(_ name: FilePath, user: UInt32, group: UInt32) throws(SystemError) {
        let number = raw
        try systemCall("fchownat", subject(name)) {
            name.withPlatformString { fchownat(number, $0, user, group, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// The permission bits of an entry that is no symbolic link. Only where nobody else can change the directory:
    /// fchmodat(2) follows links.
    public func setPermissions(_ name: FilePath, _ mode: UInt32) throws(SystemError) {
        let number = raw
        try systemCall("fchmodat", subject(name)) { name.withPlatformString { fchmodat(number, $0, mode, 0) } }
    }

    /// The modification time of an entry.
    public func setModified(_ name: FilePath, seconds: Int64, nanoseconds: Int64) throws(SystemError) {
        let number = raw
        try systemCall("utimensat", subject(name)) {
            name.withPlatformString { gantry_set_modified(number, $0, seconds, nanoseconds) }
        }
    }

    /// The directory's own descriptor, for what works on every kind of file.
    public func duplicateDescriptor() throws(SystemError) -> Descriptor {
        try descriptor.duplicate()
    }
}

/// What an open file or directory has besides its content.
extension Descriptor {
    public borrowing func setOwner(user: UInt32, group: UInt32, path: String) throws(SystemError) {
        let number = raw
        try systemCall("fchown", path) { fchown(number, user, group) }
    }

    public borrowing func setPermissions(_ mode: UInt32, path: String) throws(SystemError) {
        let number = raw
        try systemCall("fchmod", path) { fchmod(number, mode) }
    }

    public borrowing func setModified(seconds: Int64, nanoseconds: Int64, path: String) throws(SystemError) {
        let number = raw
        try systemCall("futimens", path) { gantry_set_modified(number, nil, seconds, nanoseconds) }
    }

    /// ftruncate(2).
    public borrowing func setSize(_ size: Int64, path: String) throws(SystemError) {
        let number = raw
        try systemCall("ftruncate", path) { ftruncate(number, Int(size)) }
    }

    public borrowing func setExtendedAttribute(_ name: String, _ value: [UInt8], path: String) throws(SystemError) {
        let number = raw
        try systemCall("fsetxattr", "\(name) of \(path)") { gantry_set_attribute(number, name, value, value.count) }
    }

    /// The names of all extended attributes, sorted; none where the file system has none.
    public borrowing func extendedAttributeNames(path: String) throws(SystemError) -> [String] {
        let number = raw
        // The kernel's limit for the list of names (xattr(7)).
        var names = [CChar](repeating: 0, count: 65536)
        let length: Int
        do {
            length = try systemCall("flistxattr", path) { gantry_attribute_names(number, &names, names.count) }
        } catch  where error.errno == .notSupported {
            return []
        }
        let bytes = names.prefix(length).map { UInt8(bitPattern: $0) }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// `nil` when there is no such attribute.
    public borrowing func extendedAttribute(_ name: String, path: String) throws(SystemError) -> [UInt8]? {
        let number = raw
        var value = [UInt8](repeating: 0, count: 65536)
        do {
            let length = try systemCall("fgetxattr", "\(name) of \(path)") {
                gantry_attribute(number, name, &value, value.count)
            }
            return Array(value.prefix(length))
        } catch  where error.errno == .noData {
            return nil
        }
    }

    /// At most `buffer.count` bytes; 0 at the end.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer, path: String) throws(SystemError) -> Int {
        let number = raw
        return try systemCall("read", path) { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }
}
