// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Kernel
import SystemPackage
import Wire

/// The containers' working directories on the host, with their `stdout` and `stderr`.
///
/// A caller may name a directory of its own, which outlives the container. Without one, the daemon makes
/// `<root>/sandboxes/<id>`, and that goes with the container.
public struct Sandboxes: Sendable {
    public let path: String
    private let directory: Directory
    private let spares: SpareDirectories
    private let trash: Trash

    /// - Parameters:
    ///   - path: absolute; made with mode 0711, so that container users reach their own.
    ///   - sparePath: where new ones wait, on the same file system; made with mode 0700.
    public init(
        path: String, sparePath: String, trash: Trash, housekeeping: Housekeeping, spares wanted: Int = 8
    ) throws(SystemError) {
        self.path = path
        self.trash = trash
        try Directory.createIfMissing(path, mode: 0o711)
        directory = try Directory(path)
        try Directory.createIfMissing(sparePath, mode: 0o700)
        spares = try SpareDirectories(
            directory: try Directory(sparePath), wanted: wanted, housekeeping: housekeeping, fill: Self.fill)
    }

    private static func fill(_ spare: Directory) throws(SystemError) {
        try spare.setPermissions(0o750)
        for name in ["stdout", "stderr"] {
            let file = try spare.open(FilePath(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
            try file.setPermissions(0o644, path: name)
        }
    }

    func own(_ id: Mesos.ContainerID) -> String {
        path + "/" + id.segments.joined(separator: "/containers/")
    }

    /// - Parameter requested: the caller's directory, empty for one of the daemon's.
    /// - Returns: the directory, which exists, with mode 0750 and owned by `user` if it was made here.
    func create(for id: Mesos.ContainerID, at requested: String, user: String?) throws -> String {
        guard !requested.isEmpty else {
            let identity = try user.map { text throws(ContainerError) in try UserIdentity(parsing: text) }
            let own = own(id)
            let spare = try spares.take()
            do {
                try spares.directory.rename(
                    spare, to: directory, as: FilePath(id.segments.joined(separator: "/containers/")), replacing: false)
            } catch {
                _ = try? spares.directory.removeTree(spare)
                throw error
            }
            if let identity {
                try systemCall("chown", own) { chown(own, identity.uid, identity.gid) }
            }
            return own
        }
        var info = stat()
        guard requested.hasPrefix("/"), lstat(requested, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw ContainerError(
                .invalidArgument, code: "sandbox.not-a-directory", "\(requested) is no directory",
                step: "making the container's directories", subject: requested,
                hint: "name an existing directory by its absolute path, or leave it out")
        }
        return requested
    }

    /// Removes the daemon's own sandbox of the container, whatever the container left in it.
    func remove(_ id: Mesos.ContainerID) throws(SystemError) {
        try trash.discard(FilePath(id.segments.joined(separator: "/containers/")), of: directory)
    }
}
