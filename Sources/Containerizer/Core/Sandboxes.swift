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
    private let trash: Trash

    /// - Parameter path: absolute; made with mode 0711, so that container users reach their own.
    public init(path: String, trash: Trash) throws(SystemError) {
        self.path = path
        self.trash = trash
        try Directory.createIfMissing(path, mode: 0o711)
        directory = try Directory(path)
    }

    func own(_ id: Mesos.ContainerID) -> String {
        path + "/" + id.segments.joined(separator: "/containers/")
    }

    /// - Parameter requested: the caller's directory, empty for one of the daemon's.
    /// - Returns: the directory, which exists, with mode 0750 and owned by `user` if it was made here.
    func create(for id: Mesos.ContainerID, at requested: String, user: String?) throws -> String {
        guard !requested.isEmpty else {
            let directory = own(id)
            try systemCall("mkdir", directory) { mkdir(directory, 0o750) }
            if let user {
                let identity = try UserIdentity(parsing: user)
                try systemCall("chown", directory) { chown(directory, identity.uid, identity.gid) }
            }
            return directory
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
