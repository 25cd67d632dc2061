// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// What stat(2) tells about one name; a symbolic link is not followed.
public struct FileInformation: Sendable, Hashable {
    public enum Kind: UInt8, Sendable, Hashable {
        case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket
    }

    public var kind: Kind
    /// The twelve permission bits, set-id and sticky included.
    public var permissions: UInt32
    public var userID: UInt32
    public var groupID: UInt32
    /// Bytes; for a symbolic link the length of its text.
    public var size: UInt64
    public var links: UInt64
    /// Of the file system that holds the file.
    public var device: UInt64
    public var inode: UInt64
    /// The device that the file is, for the two device kinds.
    public var representedDevice: UInt64
    public var modifiedSeconds: Int64
    public var modifiedNanoseconds: Int64

    /// The same file, under whatever name.
    public func isSameFile(as other: FileInformation) -> Bool {
        device == other.device && inode == other.inode
    }

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .regular
            }
        permissions = status.st_mode & 0o7777
        userID = status.st_uid
        groupID = status.st_gid
        size = UInt64(clamping: status.st_size)
        links = UInt64(status.st_nlink)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        representedDevice = UInt64(status.st_rdev)
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
    }

    /// fstat(2).
    public init(of descriptor: borrowing Descriptor, path: @autoclosure () -> String) throws(SystemError) {
        var status = stat()
        let number = descriptor.raw
        try systemCall("fstat", path()) { fstat(number, &status) }
        self.init(status)
    }
}

/// How much a file system holds (statfs(2)).
public struct FileSystemSpace: Sendable, Hashable {
    /// The magic number of the file system's type.
    public var magic: Int64
    /// Bytes that are left for everybody; the superuser's reserve is not counted.
    public var freeBytes: UInt64

    public init(of directory: Directory) throws(SystemError) {
        var magic: Int64 = 0
        var free: UInt64 = 0
        let number = directory.raw
        try systemCall("fstatfs", directory.path) { gantry_file_system(number, &magic, &free) }
        self.magic = magic
        freeBytes = free
    }
}
