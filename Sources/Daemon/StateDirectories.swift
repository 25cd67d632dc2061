// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import Logging

/// The directories that an instance stands in.
enum StateDirectories {
    /// Makes the root. Others may pass through it, because container users reach their sandboxes below it, but neither
    /// list nor change it.
    static func prepare(_ root: String, log: Logger) throws {
        guard root.hasPrefix("/"), root != "/" else {
            throw ContainerError(
                .invalidArgument, code: "daemon.invalid-root", "\"\(root)\" cannot be the root directory",
                step: "start", subject: root, hint: "give --root an absolute path")
        }
        if try Directory.createIfMissing(root, mode: 0o711) { return }
        var info = stat()
        try systemCall("stat", root) { stat(root, &info) }
        if info.st_mode & 0o022 != 0 {
            log.warning("\(root) is writable by others; make it mode 0711")
        }
    }

    static func prepareSocketDirectory(_ socket: String) throws {
        guard let slash = socket.lastIndex(of: "/"), slash != socket.startIndex else { return }
        try Directory.createIfMissing(String(socket[..<slash]), mode: 0o755)
    }

    /// Removes the instance's own cgroups, which are empty now. One that is not stays, and so do its parents.
    static func removeOwnCgroups(_ name: String) {
        guard let mounts = try? CgroupMounts.detect() else { return }
        for mount in Set(mounts.hierarchies.values).union([mounts.unified].compactMap { $0 }) {
            _ = rmdir("\(mount)/\(name)")
        }
    }
}
