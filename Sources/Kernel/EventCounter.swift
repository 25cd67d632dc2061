// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// An eventfd (eventfd(2)): a counter that the kernel raises and a reader takes back to zero.
public struct EventCounter: ~Copyable, Sendable {
    private let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try systemCall("eventfd") { gantry_eventfd_open() })
    }

    /// For waiting until it is readable.
    public var raw: Int32 { descriptor.raw }

    /// The count since the last call; 0 when nothing has happened. Does not block.
    public borrowing func take() throws(SystemError) -> UInt64 {
        let raw = descriptor.raw
        var count: UInt64 = 0
        do {
            try systemCall("read", "eventfd") { read(raw, &count, 8) }
        } catch  where error.errno == .resourceTemporarilyUnavailable {
            return 0
        }
        return count
    }

    /// Registers with a cgroup version 1 control file that can notify, such as memory.oom_control (cgroup-v1
    /// documentation, memory, section 9). The registration ends with this value, or with the cgroup, whose removal
    /// counts as an event too.
    public borrowing func listen(to file: String, in cgroup: CgroupDirectory) throws(SystemError) {
        let control = try ControlFile.open(cgroup.file(file), O_RDONLY)
        try cgroup.write("cgroup.event_control", "\(raw) \(control.raw)")
    }
}
