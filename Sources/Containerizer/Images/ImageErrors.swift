// SPDX-License-Identifier: Apache-2.0

internal import Core

/// Every error of this room that is not a failed system call, in one place.
extension ContainerError {
    static func unknownImage(_ reference: String) -> ContainerError {
        ContainerError(
            .notFound, code: "image.not-found", "no image \(reference)", subject: reference,
            hint: "gantry image import PATH NAME, or gantry image ls for what is there")
    }

    static func imageInUse(_ reference: String, containers: [String]) -> ContainerError {
        let shown = containers.prefix(10).joined(separator: ", ") + (containers.count > 10 ? ", ..." : "")
        return ContainerError(
            .failedPrecondition, code: "image.in-use",
            "image \(reference) is in use by \(containers.count == 1 ? "container" : "containers") \(shown)",
            subject: reference,
            hint: "destroy the containers first, or remove with --force: the layers go with the last one")
    }

    static func hostileEntry(_ entry: String, _ reason: String) -> ContainerError {
        let shown = shortened(entry)
        return ContainerError(
            .invalidArgument, code: "image.hostile-entry", "entry \"\(shown)\" \(reason)", subject: shown,
            hint: "the archive is not a plain root file system, or it attacks the host; nothing of it was kept")
    }

    static func brokenArchive(_ path: String, _ reason: String) -> ContainerError {
        ContainerError(
            .invalidArgument, code: "image.broken-archive", "\(path): \(reason)", subject: path,
            hint: "copy or make the archive again; gantry reads tar, plain or packed with gzip, zstd or xz")
    }

    static func emptyImage(_ path: String) -> ContainerError {
        ContainerError(
            .invalidArgument, code: "image.empty", "\(path) holds no files", subject: path,
            hint: "give a tar archive or a directory with a root file system")
    }

    static func notARootFileSystem(_ path: String, because entry: String) -> ContainerError {
        ContainerError(
            .invalidArgument, code: "image.unsupported-archive",
            "\(path) is an image archive (it has \(entry) at its top), not a plain root file system", subject: path,
            hint: "export one: docker create --name x IMAGE && docker export x -o rootfs.tar, then import rootfs.tar")
    }

    static func importLimit(_ what: String, _ limit: UInt64, at entry: String) -> ContainerError {
        ContainerError(
            .resourceExhausted, code: "image.limit", "more than \(limit) \(what), at entry \"\(shortened(entry))\"",
            subject: shortened(entry),
            hint: "raise the import limits in the daemon's configuration if the image is honest")
    }

    static func diskFull(_ path: String, free: UInt64, reserved: UInt64) -> ContainerError {
        ContainerError(
            .resourceExhausted, code: "disk.full",
            "\(path): \(free >> 20) MiB are free, and \(reserved >> 20) MiB are kept for running containers",
            subject: path, errno: 28,
            hint: "free some space below the daemon's root directory, or give --root another file system")
    }

    /// Names in archives may be thousands of bytes long, and hold anything.
    static func shortened(_ entry: String) -> String {
        let printable = String(entry.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
        return printable.count > 200 ? "\(printable.prefix(120))...\(printable.suffix(70))" : printable
    }
}
