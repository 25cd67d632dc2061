// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemPackage

extension CgroupDirectory {
    /// Has the kernel count the events of a version 1 control file that can notify, such as memory.oom_control (cgroup-v1
    /// documentation, memory, section 9). The registration ends with the counter, or with the cgroup, whose removal
    /// counts as an event too.
    public func notify(_ counter: borrowing EventCounter, of file: String) throws(SystemError) {
        let control = try ControlFile.open(self.file(file), O_RDONLY)
        try write("cgroup.event_control", "\(counter.raw) \(control.raw)")
    }
}

/// An open cgroup2 control file that announces its changes, such as memory.events and cgroup.events: after each read,
/// the next change makes the descriptor report EPOLLPRI.
public struct WatchedControlFile: ~Copyable, Sendable {
    private let path: String
    private let descriptor: Descriptor

    public init(_ path: String) throws(SystemError) {
        self.path = path
        descriptor = try ControlFile.open(path, O_RDONLY)
    }

    /// For waiting.
    public var raw: Int32 { descriptor.raw }

    /// The content now; nil when the cgroup has been removed.
    public borrowing func readIfPresent() throws(SystemError) -> String? {
        let raw = descriptor.raw
        var buffer = [UInt8](repeating: 0, count: 1024)
        do {
            let count = try systemCall("pread", path) { pread(raw, &buffer, buffer.count, 0) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        } catch  where error.errno == .operationNotSupportedByDevice {
            return nil
        }
    }
}
