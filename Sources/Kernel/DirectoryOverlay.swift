// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

extension Directory {
    /// An overlay of three directories that is attached nowhere: no mount namespace shows it, and it ends with the
    /// returned value (fsmount(2)).
    public static func detachedOverlay(
        lower: Directory, upper: Directory, work: Directory
    ) throws(SystemError) -> Directory {
        // By descriptor, because a value is limited to 255 bytes; overlayfs follows the links of /proc.
        let options = [("lowerdir", lower.raw), ("upperdir", upper.raw), ("workdir", work.raw)]
        return try overlay(options.map { ($0, "/proc/self/fd/\($1)") }, "overlay on \(upper.path)")
    }

    /// A read-only overlay of several directories, the topmost first, that is attached nowhere. One directory alone is
    /// opened as it is.
    public static func detachedOverlay(lower: [String]) throws(SystemError) -> Directory {
        guard let top = lower.first, lower.count > 1 else { return try Directory(lower.first ?? "") }
        let subject = "overlay on \(top)"
        do {
            return try overlay(lower.map { ("lowerdir+", $0) }, subject)
        } catch  where error.operation == "fsconfig" && error.errno == .invalidArgument {
            // A kernel before 6.5: one value for all, of at most 255 bytes.
            var directories: [Directory] = []
            for path in lower { directories.append(try Directory(path)) }
            let links = directories.map { "/proc/self/fd/\($0.raw)" }.joined(separator: ":")
            return try withExtendedLifetime(directories) { () throws(SystemError) in
                try overlay([("lowerdir", links)], subject)
            }
        }
    }

    private static func overlay(_ options: [(String, String)], _ subject: String) throws(SystemError) -> Directory {
        let context = Descriptor(owning: try systemCall("fsopen", subject) { gantry_file_system_context("overlay") })
        let number = context.raw
        for (key, value) in options {
            try systemCall("fsconfig", "\(key) of \(subject)") { gantry_file_system_option(number, key, value) }
        }
        try systemCall("fsconfig", subject) { gantry_file_system_create(number) }
        let mounted = try systemCall("fsmount", subject) { gantry_file_system_mount(number) }
        return Directory(owning: Descriptor(owning: mounted), path: subject)
    }
}
