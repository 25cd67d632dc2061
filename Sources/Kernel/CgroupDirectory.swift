// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemPackage

/// One cgroup, by the path of its directory. Works on any directory, so that tests can use a plain one.
///
/// A value holds no descriptor: a thousand containers with four hierarchies each would keep four thousand open, and the
/// walk to a control file is five cached path components.
public struct CgroupDirectory: Sendable, Hashable {
    /// Absolute.
    public let path: String

    public init(_ path: String) {
        self.path = path
    }

    public func child(_ name: String) -> CgroupDirectory {
        CgroupDirectory("\(path)/\(name)")
    }

    /// Nil for the root directory.
    public var parent: CgroupDirectory? {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
        return CgroupDirectory(String(path[..<slash]))
    }

    public var name: String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    public var exists: Bool {
        access(path, F_OK) == 0
    }

    // MARK: Control files

    public func file(_ name: String) -> String {
        "\(path)/\(name)"
    }

    public func has(_ file: String) -> Bool {
        access(self.file(file), F_OK) == 0
    }

    public func read(_ file: String) throws(SystemError) -> String {
        try ControlFile.read(self.file(file))
    }

    /// Nil when the file does not exist, or the cgroup is being removed.
    public func readIfPresent(_ file: String) throws(SystemError) -> String? {
        try ControlFile.readIfPresent(self.file(file))
    }

    public func write(_ file: String, _ text: String) throws(SystemError) {
        try ControlFile.write(self.file(file), text)
    }

    // MARK: Directories

    /// mkdir(2). EEXIST is an error: a cgroup that is there already belongs to somebody.
    public func create() throws(SystemError) {
        try systemCall("mkdir", path) { mkdir(path, 0o755) }
    }

    /// mkdir(2) for the cgroup and for each missing ancestor; an existing one is left as it is.
    public func createWithParents() throws(SystemError) {
        do {
            try create()
        } catch {
            switch error.errno {
            case .fileExists: return
            case .noSuchFileOrDirectory:
                guard let parent else { throw error }
                try parent.createWithParents()
                try createIfMissing()
            default: throw error
            }
        }
    }

    private func createIfMissing() throws(SystemError) {
        do { try create() } catch  where error.errno == .fileExists {}
    }

    /// The cgroups directly below; none when the cgroup does not exist.
    public func children() throws(SystemError) -> [CgroupDirectory] {
        do {
            return try DirectoryListing.directories(path).map(child)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return []
        }
    }

    /// All cgroups below, parents before children.
    public func descendants() throws(SystemError) -> [CgroupDirectory] {
        var found: [CgroupDirectory] = []
        var pending = try children()
        while let next = pending.popLast() {
            found.append(next)
            pending += try next.children()
        }
        return found
    }

    // MARK: Processes

    /// The processes in this cgroup itself, not below it.
    public func processes() throws(SystemError) -> [Int32] {
        try (readIfPresent("cgroup.procs") ?? "").split(separator: "\n").compactMap { Int32($0) }
    }

    /// Kills every process of the cgroup and of all below it, also while they fork (cgroup2 since Linux 5.14). Returns
    /// before they are gone.
    public func kill() throws(SystemError) {
        try write("cgroup.kill", "1")
    }

    /// Whether a process lives in the cgroup or below it, by `cgroup.events` (cgroup2 only); nil if that file is missing.
    public func isPopulated() throws(SystemError) -> Bool? {
        try readIfPresent("cgroup.events").map { FlatKeyed($0)["populated"] != 0 }
    }
}
