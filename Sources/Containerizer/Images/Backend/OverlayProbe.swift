// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Glibc
internal import Kernel
internal import SystemPackage

/// Tries at start-up whether the file system below the daemon's root can carry overlays, so that this does not show at
/// the first launch. The trial is an overlay that is attached nowhere, in which a file of the lower directory is
/// removed: that needs a whiteout and extended attributes above (provisioner.md 3.2 only knows file system types).
enum OverlayProbe {
    /// `directory` is the provisioner's; what is made in it goes again.
    static func run(in directory: Directory, root: String) throws {
        let name: FilePath = ".probe"
        do throws(SystemError) {
            try directory.removeTree(name)
            try directory.make(name)
            let probe = try directory.directory(name)
            for part: FilePath in ["lower", "upper", "work"] { try probe.make(part) }
            _ = try probe.open("lower/file", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            let overlay = try Directory.detachedOverlay(
                lower: probe.directory("lower"), upper: probe.directory("upper"), work: probe.directory("work"))
            try overlay.unlink("file")
        } catch {
            _ = try? directory.removeTree(name)
            throw unusable(error, try FileSystemSpace(of: directory).magic, root)
        }
        try directory.removeTree(name)
    }

    private static func unusable(_ error: SystemError, _ magic: Int64, _ root: String) -> ContainerError {
        // A full disk says nothing about overlays.
        if error.errno == .noSpace { return ContainerError(error) }
        let known: [Int64: String] = [
            0x794c_7630: "overlayfs", 0x6175_6673: "aufs", 0xf15f: "ecryptfs", 0x2fc1_2fc1: "zfs", 0x6969: "nfs",
            0x6573_5546: "fuse", 0x4d44: "vfat",
        ]
        let name = known[magic] ?? "file system type 0x\(String(magic, radix: 16))"
        return ContainerError(
            .failedPrecondition, code: "backend.overlay-unusable",
            "overlays do not work on \(root) (\(name)): \(error)", subject: root, errno: error.errno.rawValue,
            hint:
                "start gantryd with --root on a local ext4, xfs, btrfs or tmpfs file system, with a kernel that has overlayfs"
        )
    }
}
