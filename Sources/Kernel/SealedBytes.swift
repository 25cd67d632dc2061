// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// Bytes in sealed memory (memfd_create(2), F_SEAL_*), for another process to read by descriptor: neither side can change
/// them any more. Closed with the last reference.
public final class SealedBytes: Sendable {
    private let memory: Descriptor

    /// - Parameter name: shows in /proc/PID/fd.
    public init(_ bytes: [UInt8], name: String) throws(SystemError) {
        let memory = Descriptor(owning: try systemCall("memfd_create", name) { gantry_memfd_sealable(name) })
        let target = memory.raw
        var written = 0
        while written < bytes.count {
            written += try systemCall("write", name) {
                bytes[written...].withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
            }
        }
        try systemCall("fcntl(F_ADD_SEALS)", name) { gantry_memfd_seal(target) }
        self.memory = memory
    }

    public var raw: Int32 { memory.raw }
}
