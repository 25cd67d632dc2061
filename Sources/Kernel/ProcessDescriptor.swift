// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import SystemPackage

/// A process by descriptor (pidfd_open(2)): it never comes to mean another process. Readable when the process has
/// ended.
public struct ProcessDescriptor: ~Copyable, Sendable {
    private let descriptor: Descriptor
    public let pid: Int32

    /// - Parameter pid: the process's id in our pid namespace; for messages and records only.
    public init(owning descriptor: consuming Descriptor, pid: Int32) {
        self.descriptor = descriptor
        self.pid = pid
    }

    /// ESRCH when there is no such process.
    public init(pid: Int32) throws(SystemError) {
        let raw = try systemCall("pidfd_open", "pid \(pid)") { gantry_pidfd_open(pid) }
        self.init(owning: Descriptor(owning: raw), pid: pid)
    }

    /// Nil when there is no such process.
    public static func ifAlive(_ pid: Int32) throws(SystemError) -> ProcessDescriptor? {
        do {
            return try ProcessDescriptor(pid: pid)
        } catch  where error.errno == .noSuchProcess {
            return nil
        }
    }

    public var raw: Int32 { descriptor.raw }

    /// ESRCH when the process has ended and is reaped.
    public borrowing func signal(_ number: Int32) throws(SystemError) {
        let (raw, pid) = (descriptor.raw, pid)
        try systemCall("pidfd_send_signal", "pid \(pid)") { gantry_pidfd_send_signal(raw, number) }
    }

    public enum Reaped: Sendable, Hashable {
        case running, notOurChild
        /// In wait(2)'s encoding.
        case ended(Int32)
    }

    /// Reaps the process if it has ended; does not wait.
    public borrowing func reap() throws(SystemError) -> Reaped {
        let (raw, pid) = (descriptor.raw, pid)
        var status: Int32 = 0
        do {
            let ended = try systemCall("waitid", "pid \(pid)") { gantry_pidfd_reap(raw, &status) }
            return ended == 1 ? .ended(status) : .running
        } catch  where error.errno == .noChildProcess {
            return .notOurChild
        }
    }
}
