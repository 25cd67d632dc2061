// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import SystemPackage

/// The lock that keeps a second daemon off the same root directory (flock(2)); the kernel drops it when the process
/// ends, however that happens.
struct InstanceLock: ~Copyable, Sendable {
    private let file: Descriptor

    init(root: String) throws {
        let path = root + "/lock"
        let raw = try systemCall("open", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        let file = Descriptor(owning: raw)
        do throws(SystemError) {
            try systemCall("flock", path) { flock(raw, LOCK_EX | LOCK_NB) }
        } catch {
            throw ContainerError(
                .failedPrecondition, code: "daemon.root-in-use", "another gantryd uses \(root)", step: "start",
                subject: path, errno: error.errno.rawValue,
                hint: "stop that one, or give this one another --root and --host")
        }
        self.file = file
    }
}
