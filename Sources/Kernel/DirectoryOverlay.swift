// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

extension Directory {
    /// An overlay of three directories that is attached nowhere: no mount namespace shows it, and it ends with the
    /// returned value (fsmount(2)).
    public static func detachedOverlay(
        lower: Directory, upper: Directory, work: Directory
    ) throws(SystemError) -> Directory {
        // By descriptor, because a value is limited to 255 bytes; overlayfs follows the links of /proc.
        let options = [("lowerdir", lower.raw), ("upperdir", upper.raw), ("workdir", work.raw)]
        let subject = "overlay on \(upper.path)"
        let context = Descriptor(owning: try systemCall("fsopen", subject) { gantry_file_system_context("overlay") })
        let number = context.raw
        for (key, directory) in options {
            try systemCall("fsconfig", "\(key) of \(subject)") {
                gantry_file_system_option(number, key, "/proc/self/fd/\(directory)")
            }
        }
        try systemCall("fsconfig", subject) { gantry_file_system_create(number) }
        let mounted = try systemCall("fsmount", subject) { gantry_file_system_mount(number) }
        return Directory(owning: Descriptor(owning: mounted), path: subject)
    }
}
