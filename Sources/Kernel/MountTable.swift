// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// One line of `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
public struct MountEntry: Sendable, Hashable {
    public var id: Int
    public var parent: Int
    /// "major:minor" of the file system's device.
    public var device: String
    /// The directory of the file system that is mounted; "/" unless it is a bind mount or a namespace's view.
    public var root: String
    public var target: String
    /// Options of this mount, e.g. "rw", "nosuid".
    public var options: [String]
    /// The peer group, if the mount is shared.
    public var sharedGroup: Int?
    /// The peer group that the mount receives from, if it is a slave.
    public var masterGroup: Int?
    public var type: String
    public var source: String
    /// Options of the file system, e.g. "memory" for a cgroup hierarchy.
    public var superOptions: [String]
}

/// The mounts of a mount namespace, parents before children.
public struct MountTable: Sendable, Hashable {
    public var entries: [MountEntry]

    public init(entries: [MountEntry]) {
        self.entries = entries
    }

    /// Reads a table; `/proc/self/mountinfo` is the caller's own.
    ///
    /// - Throws: the failed call, or `parse` with EINVAL and the line when the text is not a mount table.
    public static func read(_ path: String = "/proc/self/mountinfo") throws(SystemError) -> MountTable {
        try MountTable(parsing: ControlFile.read(path))
    }

    /// - Throws: `parse`, EINVAL, with the line.
    public init(parsing text: String) throws(SystemError) {
        entries = []
        for line in text.split(separator: "\n") {
            guard let entry = MountEntry(parsing: line) else {
                throw SystemError("parse", "mount table line \"\(line)\"", .invalidArgument)
            }
            entries.append(entry)
        }
    }

    /// The mount that `path` (absolute, no symbolic links) lies on: the longest target that is a prefix in whole path
    /// components. Of several on one target the last counts, because it covers the others.
    public func mount(containing path: String) -> MountEntry? {
        var found: MountEntry?
        for entry in entries where Self.contains(entry.target, path) {
            if entry.target.utf8.count >= (found?.target.utf8.count ?? 0) { found = entry }
        }
        return found
    }

    private static func contains(_ directory: String, _ path: String) -> Bool {
        directory == "/" || path == directory || path.hasPrefix(directory + "/")
    }
}

extension MountEntry {
    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, with any number of optional
    /// fields before the hyphen.
    init?(parsing line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard let hyphen = fields.dropFirst(6).firstIndex(of: "-"), fields.count >= hyphen + 4,
            let id = Int(fields[0]), let parent = Int(fields[1])
        else { return nil }
        self.id = id
        self.parent = parent
        device = String(fields[2])
        root = Self.unescape(fields[3])
        target = Self.unescape(fields[4])
        options = fields[5].split(separator: ",").map(String.init)
        for field in fields[6..<hyphen] {
            if field.hasPrefix("shared:") { sharedGroup = Int(field.dropFirst(7)) }
            if field.hasPrefix("master:") { masterGroup = Int(field.dropFirst(7)) }
        }
        type = Self.unescape(fields[hyphen + 1])
        source = Self.unescape(fields[hyphen + 2])
        superOptions = fields[hyphen + 3].split(separator: ",").map(String.init)
    }

    /// The kernel writes blank, tab, newline and backslash as a backslash and three octal digits.
    private static func unescape(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
        let bytes = Array(text.utf8)
        var plain: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
                let code = octal(bytes[(index + 1)...(index + 3)])
            {
                plain.append(code)
                index += 4
            } else {
                plain.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func octal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { return nil }
            value = value * 8 + Int(digit - UInt8(ascii: "0"))
        }
        return UInt8(exactly: value)
    }
}
