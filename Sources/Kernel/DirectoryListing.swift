// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// readdir(3) on cgroup directories.
enum DirectoryListing {
    /// The names of the directories in a directory, without "." and "..". By d_type, which cgroupfs always fills in.
    static func directories(_ path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("opendir", path, .current) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // readdir tells the end from an error by errno alone.
            errno = 0
            guard let entry = readdir(stream) else {
                let code = Errno.current
                if code.rawValue != 0 { throw SystemError("readdir", path, code) }
                return names
            }
            guard gantry_dirent_is_directory(entry) != 0 else { continue }
            let name = String(cString: gantry_dirent_name(entry))
            if name != ".", name != ".." { names.append(name) }
        }
    }
}
