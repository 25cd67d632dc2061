// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemPackage

/// The kernel's text files in cgroupfs and procfs: read whole, written with one write(2), because each write is a
/// command of its own.
public enum ControlFile {
    /// The content. Invalid UTF-8 is replaced.
    public static func read(_ path: String) throws(SystemError) -> String {
        let file = try open(path, O_RDONLY)
        let descriptor = file.raw
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try systemCall("read", path) { Glibc.read(descriptor, &chunk, chunk.count) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    /// The content; nil when the file does not exist (or its cgroup is being removed, ENODEV).
    public static func readIfPresent(_ path: String) throws(SystemError) -> String? {
        do {
            return try read(path)
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .operationNotSupportedByDevice {
            return nil
        }
    }

    public static func write(_ path: String, _ text: String) throws(SystemError) {
        let file = try open(path, O_WRONLY)
        let descriptor = file.raw
        let bytes = Array(text.utf8)
        let count = try systemCall("write", "\"\(text)\" to \(path)") {
            Glibc.write(descriptor, bytes, bytes.count)
        }
        // A control file takes all of a command or none of it.
        guard count == bytes.count else { throw SystemError("write", path, .ioError) }
    }

    static func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        Descriptor(owning: try systemCall("open", path) { Glibc.open(path, flags | O_CLOEXEC) })
    }
}
