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

    /// - Parameter requested: the caller's directory, empty for one of the daemon's; for a nested container the sandbox
    ///   of its root container.
    /// - Returns: the directory, which exists, with mode 0750 if it was made here.
    func create(for id: Mesos.ContainerID, at requested: String) throws -> String {
        if id.parent != nil { return try createNested(id, below: requested) }
        guard !requested.isEmpty else {
            let spare = try spares.take()
            do {
                try spares.directory.rename(spare, to: directory, as: FilePath(id.value), replacing: false)
            } catch {
                _ = try? spares.directory.removeTree(spare)
                throw error
            }
            return own(id)
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

    /// Removes the daemon's own sandbox of a top-level container, whatever the container left in it.
    func remove(_ id: Mesos.ContainerID) throws(SystemError) {
        try trash.discard(FilePath(id.value), of: directory)
    }
}

/// Sandboxes of nested containers: `<root container's sandbox>/containers/<child>/containers/<grandchild>`. What runs in
/// the root container may change all of that at any time, so each step goes from a descriptor to the next name and
/// follows no link.
extension Sandboxes {
    private func createNested(_ id: Mesos.ContainerID, below root: String) throws -> String {
        // Without the operator's links in it, so that init can refuse to follow any.
        let top = try canonical(root)
        var directory = try Directory(top)
        for name in id.segments.dropFirst() {
            directory = try directory.ensure("containers", mode: 0o755).ensure(FilePath(name), mode: 0o750)
        }
        return "\(top)/\(id.nestedPath)"
    }

    /// The sandbox of a container, open.
    func open(_ id: Mesos.ContainerID, at path: String) throws(SystemError) -> Directory {
        guard id.parent != nil else { return try Directory(path) }
        return try Directory(String(path.dropLast(id.nestedPath.count + 1))).directory(FilePath(id.nestedPath))
    }

    /// Takes the sandbox of a nested container away, at once.
    ///
    /// - Parameter root: the sandbox of its root container.
    /// - Returns: what is still to be removed, by a call that blocks; nil when nothing is.
    func removeNested(
        _ id: Mesos.ContainerID, below root: String
    ) throws(SystemError) -> (directory: Directory, name: FilePath)? {
        let above = FilePath(id.nestedPath).removingLastComponent()
        let parent: Directory
        do {
            parent = try Directory(root).directory(above)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
        do {
            try trash.discard(FilePath(id.value), of: parent)
            return nil
        } catch  where error.errno == .improperLink {
            // The caller's directory is on another file system than the trash. A name with a dot first is no
            // container's.
            let hidden = FilePath(".\(UInt64.random(in: .min ... .max))")
            try parent.rename(FilePath(id.value), to: parent, as: hidden, replacing: false)
            return (parent, hidden)
        }
    }

    private func canonical(_ path: String) throws(SystemError) -> String {
        guard let real = realpath(path, nil) else { throw SystemError("realpath", path, .current) }
        defer { free(real) }
        return String(cString: real)
    }
}

extension Mesos.ContainerID {
    /// Where a nested container's files are, relative to those of its root container.
    fileprivate var nestedPath: String {
        segments.dropFirst().map { "containers/\($0)" }.joined(separator: "/")
    }
}
