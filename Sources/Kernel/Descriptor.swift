// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemPackage

/// A file descriptor with one owner, who closes it.
///
/// The descriptor closes when the value ends. `close`'s result is ignored on purpose: Linux has freed the number
/// whatever it returns (close(2)); a caller who must know whether the data is on disk calls `fsync` before.
public struct Descriptor: ~Copyable, Sendable {
    /// The number; valid while this value lives.
    public let raw: Int32

    /// Takes over an open descriptor.
    public init(owning raw: Int32) {
        self.raw = raw
    }

    /// A second descriptor of the same open file description as somebody else's, with close-on-exec set.
    public init(duplicating number: Int32) throws(SystemError) {
        raw = try systemCall("dup", "descriptor \(number)") { fcntl(number, F_DUPFD_CLOEXEC, 3) }
    }

    deinit {
        Glibc.close(raw)
    }

    /// Gives the number away; the caller closes it.
    public consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// A second descriptor of the same open file description, with close-on-exec set.
    public borrowing func duplicate() throws(SystemError) -> Descriptor {
        let number = raw
        let copy = try systemCall("dup", "descriptor \(number)") { fcntl(number, F_DUPFD_CLOEXEC, 3) }
        return Descriptor(owning: copy)
    }
}
