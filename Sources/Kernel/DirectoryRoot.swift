// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// A directory as the root of what is below it, for file systems that are not ours.
extension Directory {
    /// The plain file that `path` means to a process whose root this directory is: links are followed and stay inside
    /// (openat2(2) with RESOLVE_IN_ROOT). `nil` when there is none.
    ///
    /// Nothing but a plain file is opened: a pipe would wait, and a device would do something.
    ///
    /// - Throws: `EFBIG` when it is larger than `limit`, `EINVAL` when it is no plain file.
    public func readFile(inRoot path: String, limit: Int) throws(SystemError) -> [UInt8]? {
        let (number, subject) = (raw, "\(self.path)\(path)")
        let found: Descriptor
        do {
            let opened = try systemCall("openat2", subject) {
                gantry_openat2(
                    number, path, UInt64(UInt32(bitPattern: GANTRY_O_PATH | O_CLOEXEC)), 0,
                    GANTRY_RESOLVE_IN_ROOT | GANTRY_RESOLVE_NO_MAGICLINKS)
            }
            found = Descriptor(owning: opened)
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
            return nil
        }
        guard try FileInformation(of: found, path: subject).kind == .regular else {
            throw SystemError("open", subject, .invalidArgument)
        }
        // The same file again, by its descriptor, now to read it.
        let link = "/proc/self/fd/\(found.raw)"
        let file = Descriptor(owning: try systemCall("open", subject) { Glibc.open(link, O_RDONLY | O_CLOEXEC) })
        return try file.readAll(limit: limit, path: subject)
    }
}

extension Descriptor {
    /// From where it stands to the end; `EFBIG` when that is more than `limit`, whatever its size says.
    borrowing func readAll(limit: Int, path: String) throws(SystemError) -> [UInt8] {
        var content = [UInt8](repeating: 0, count: limit + 1)
        let number = raw
        var filled = 0
        while filled < content.count {
            let count = try systemCall("read", path) {
                content.withUnsafeMutableBytes { buffer in
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    return Glibc.read(number, rest.baseAddress, rest.count)
                }
            }
            if count == 0 { break }
            filled += count
        }
        guard filled <= limit else { throw SystemError("read", path, .fileTooLarge) }
        content.removeLast(content.count - filled)
        return content
    }
}
