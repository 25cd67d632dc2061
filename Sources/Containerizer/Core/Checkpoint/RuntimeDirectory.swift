// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Kernel
import SystemPackage
public import Wire

/// The control files of each container, below `<runtime>/containers/<id>` (containerizer.md 4.1).
///
/// A container's directory exists before any kernel object of the container does and is removed after the last one is
/// gone, so whatever a dead daemon left has its owner's name on disk. Files are written to a temporary name and
/// renamed. They are not synced: they mean something only until the next boot, and a write survives the death of the
/// process that made it (docs/adr/0004).
public struct RuntimeDirectory: Sendable {
    public enum File: String, Sendable {
        case config, launchInfo = "launch_info", pid, status
        case standaloneMarker = "standalone.marker"
        /// The container is one for debugging: recovery ends it.
        case forceDestroyOnRecovery = "force_destroy_on_recovery"
        /// How a nested container ended; it is the last file that is written for it.
        case termination
    }

    public let path: String
    private let containersDirectory: Directory
    private let spares: SpareDirectories
    private let trash: Trash

    /// - Parameter path: absolute; `containers` is made below it with mode 0700, and `spares`.
    public init(path: String, trash: Trash, housekeeping: Housekeeping, spares wanted: Int = 8) throws(SystemError) {
        self.trash = trash
        self.path = path + "/containers"
        try Directory.createIfMissing(path, mode: 0o700)
        try Directory.createIfMissing(self.path, mode: 0o700)
        containersDirectory = try Directory(self.path)
        spares = try SpareDirectories(
            directory: try Directory(path).ensure("spares"), wanted: wanted, housekeeping: housekeeping, fill: Self.fill
        )
    }

    public func directory(of id: Mesos.ContainerID) -> String {
        path + "/" + id.segments.joined(separator: "/containers/")
    }

    public func path(of file: File, of id: Mesos.ContainerID) -> String {
        directory(of: id) + "/" + file.rawValue
    }

    /// Makes the container's directory. What an earlier nested container of that name left goes (containerizer.md Q2).
    public func create(_ id: Mesos.ContainerID) throws(SystemError) {
        let path = FilePath(id.segments.joined(separator: "/containers/"))
        if id.parent != nil {
            _ = try containersDirectory.directory(path.removingLastComponent().removingLastComponent())
                .ensure("containers")
            try trash.discard(path, of: containersDirectory)
        }
        let spare = try spares.take()
        do {
            try spares.directory.rename(spare, to: containersDirectory, as: path, replacing: false)
        } catch {
            _ = try? spares.directory.removeTree(spare)
            throw error
        }
    }

    /// The files under the names that they are written under: the status is written in place.
    private static func fill(_ spare: Directory) throws(SystemError) {
        for file in [File.standaloneMarker, .config, .launchInfo, .pid].map({ $0.rawValue + temporary }) + ["status"] {
            _ = try spare.open(FilePath(file), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        }
    }

    /// What a file is called until it is complete.
    private static let temporary = ".new"

    /// Writes `bytes` so that a reader sees all of them or the file as it was.
    public func write(_ bytes: [UInt8], to file: File, of id: Mesos.ContainerID) throws(SystemError) {
        try Self.write(bytes, to: path(of: file, of: id))
    }

    /// A message as Mesos frames it: its length in four bytes of the machine's order, then the message.
    public func write<M: Message>(_ message: M, to file: File, of id: Mesos.ContainerID) throws {
        let body = try message.encoded()
        var framed = [UInt8]()
        framed.reserveCapacity(body.count + 4)
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: body.count)) { framed.append(contentsOf: $0) }
        framed.append(contentsOf: body)
        try write(framed, to: file, of: id)
    }

    /// The pid, first where the agent wants it, then in our own record: a pid that only we have proves that the agent's
    /// records were wiped (containerizer.md L12).
    public func write(pid: Int32, of id: Mesos.ContainerID, agentPath: String?) throws(SystemError) {
        let text = Array(String(pid).utf8)
        if let agentPath { try Self.write(text, to: agentPath) }
        try write(text, to: .pid, of: id)
    }

    /// Removes the container's directory. Idempotent.
    public func remove(_ id: Mesos.ContainerID) throws(SystemError) {
        try trash.discard(FilePath(id.segments.joined(separator: "/containers/")), of: containersDirectory)
    }

    /// How the nested container ended; nil when nothing is recorded.
    ///
    /// - Throws: `checkpoint.corrupt`.
    public func termination(of id: Mesos.ContainerID) throws -> Mesos.Slave.ContainerTermination? {
        let path = path(of: .termination, of: id)
        let name = FilePath(id.segments.joined(separator: "/containers/")).appending(File.termination.rawValue)
        guard let framed = try containersDirectory.readFile(name, limit: Self.terminationLimit), !framed.isEmpty else {
            return nil
        }
        let length = framed.count < 4 ? nil : framed.withUnsafeBytes { Int($0.loadUnaligned(as: UInt32.self)) }
        guard let length, framed.count == length + 4,
            let termination = try? Mesos.Slave.ContainerTermination(decoding: Array(framed.dropFirst(4)))
        else {
            throw ContainerError(
                .internal, code: "checkpoint.corrupt", "\(path) is damaged", step: "reading the termination",
                subject: path, hint: "gantry remove \(id.text) forgets the container")
        }
        return termination
    }

    private static let terminationLimit = 1 << 20

    /// The wait status that init wrote; `.missing` when there is none.
    public func status(of id: Mesos.ContainerID) -> RecordedStatus {
        let path = path(of: .status, of: id)
        guard let text = try? Self.read(path, limit: 64) else { return .missing }
        if text.isEmpty { return .missing }
        guard let number = Int32(String(decoding: text, as: UTF8.self)) else { return .unreadable }
        return .status(number)
    }

    public enum RecordedStatus: Sendable, Hashable {
        case missing, unreadable
        case status(Int32)
    }

    /// The ids of all containers that have a directory, in no order. Entries that are no containers are skipped.
    public func containers() throws(SystemError) -> [Mesos.ContainerID] {
        guard let stream = opendir(path) else {
            throw SystemError("opendir", path, .current)
        }
        defer { closedir(stream) }
        var ids: [Mesos.ContainerID] = []
        while let entry = readdir(stream) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let id = Mesos.ContainerID(value: name)
            if (try? id.validate()) != nil { ids.append(id) }
        }
        return ids
    }
}

extension RuntimeDirectory {
    static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let temporary = path + temporary
        let raw = try systemCall("open", temporary) {
            open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        let file = Descriptor(owning: raw)
        var written = 0
        while written < bytes.count {
            written += try systemCall("write", temporary) {
                bytes.withUnsafeBytes { Glibc.write(file.raw, $0.baseAddress! + written, $0.count - written) }
            }
        }
        try systemCall("rename", path) { rename(temporary, path) }
    }

    static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let raw = try systemCall("open", path) { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        let file = Descriptor(owning: raw)
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = try systemCall("read", path) {
            bytes.withUnsafeMutableBytes { Glibc.read(file.raw, $0.baseAddress, $0.count) }
        }
        return Array(bytes.prefix(count))
    }
}
