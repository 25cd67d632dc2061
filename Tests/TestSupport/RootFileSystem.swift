// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel

/// A real root file system for tests: Debian's static busybox under its applets' names, and a few files of /etc.
public enum RootFileSystem {
    private static let applets = [
        "sh", "cat", "cut", "dd", "echo", "env", "false", "head", "hostname", "id", "ip", "kill", "ln", "ls", "mkdir",
        "mount", "ps", "readlink", "sleep", "sort", "tail", "touch", "tr", "true", "unshare", "yes",
    ]

    /// Makes it in `path`, which must not exist.
    public static func make(at path: String) throws {
        for directory in ["", "/bin", "/etc", "/root"] { try Directory.createIfMissing(path + directory, mode: 0o755) }
        for (name, text) in [("passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("group", "root:x:0:\n")] {
            try write(text, to: "\(path)/etc/\(name)")
        }
        try copy("/bin/busybox", to: "\(path)/bin/busybox")
        for applet in applets {
            try systemCall("symlink", applet) { symlink("busybox", "\(path)/bin/\(applet)") }
        }
    }

    /// A directory with one file of so many megabytes that are not zero.
    public static func makeLarge(at path: String, megabytes: Int) throws {
        try Directory.createIfMissing(path, mode: 0o755)
        let file = Descriptor(
            owning: try systemCall("open", path) { open(path + "/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644) })
        let raw = file.raw
        let chunk = [UInt8](repeating: 0x5A, count: 1 << 20)
        for _ in 0..<megabytes { try systemCall("write", path) { Glibc.write(raw, chunk, chunk.count) } }
    }

    /// An archive with one regular file, in POSIX's ustar format, whatever its name is.
    public static func archive(of name: String, _ text: String) -> String {
        func field(_ text: String, _ width: Int) -> [UInt8] {
            Array(text.utf8) + [UInt8](repeating: 0, count: width - text.utf8.count)
        }
        func octal(_ number: Int, _ width: Int) -> [UInt8] {
            let digits = String(number, radix: 8)
            return field(String(repeating: "0", count: width - 1 - digits.count) + digits, width)
        }
        var header = field(name, 100) + octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(text.utf8.count, 12)
        header += octal(0, 12) + [UInt8](repeating: 0x20, count: 8) + field("0", 1) + field("", 100)
        header += field("ustar", 6) + Array("00".utf8)
        header += [UInt8](repeating: 0, count: 512 - header.count)
        let sum = header.reduce(0) { $0 + Int($1) }
        header.replaceSubrange(148..<156, with: octal(sum, 7) + [0x20])
        let padding = [UInt8](repeating: 0, count: (512 - text.utf8.count % 512) % 512 + 1024)
        return String(decoding: header + Array(text.utf8) + padding, as: UTF8.self)
    }

    public static func write(_ text: String, to path: String) throws {
        let bytes = Array(text.utf8)
        let file = Descriptor(
            owning: try systemCall("open", path) { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
        let raw = file.raw
        try systemCall("write", path) { Glibc.write(raw, bytes, bytes.count) }
    }

    public static func copy(_ source: String, to target: String) throws {
        let input = Descriptor(owning: try systemCall("open", source) { open(source, O_RDONLY | O_CLOEXEC) })
        let output = Descriptor(
            owning: try systemCall("open", target) { open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0o755) })
        let (from, to) = (input.raw, output.raw)
        while try systemCall("sendfile", source, { sendfile(to, from, nil, 1 << 20) }) > 0 {}
    }
}
