// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Kernel

/// What one import may take.
public struct ImportLimits: Sendable, Hashable {
    /// Bytes of all files together, holes included.
    public var unpackedBytes: UInt64
    /// Files, directories, links and so on.
    public var entries: UInt64
    /// Bytes that an import leaves free on the store's file system, so that it never stops running containers.
    public var reservedBytes: UInt64

    public init(unpackedBytes: UInt64 = 32 << 30, entries: UInt64 = 2_000_000, reservedBytes: UInt64 = 256 << 20) {
        self.unpackedBytes = unpackedBytes
        self.entries = entries
        self.reservedBytes = reservedBytes
    }

    /// What an uncompressed archive of that much content may have: a header of 512 bytes and padding each entry, long
    /// names and attributes.
    var streamBytes: UInt64 {
        let (headers, overflow) = entries.multipliedReportingOverflow(by: 4096)
        let (sum, more) = unpackedBytes.addingReportingOverflow(headers)
        return overflow || more ? .max : sum
    }
}

/// Counts an import against its limits, and looks at the free space from time to time.
struct ImportQuota {
    let limits: ImportLimits
    private(set) var bytes: UInt64 = 0
    private(set) var entries: UInt64 = 0
    private var untilLook: UInt64 = 0

    init(_ limits: ImportLimits) {
        self.limits = limits
    }

    /// Before an entry, or a missing parent directory, is made.
    mutating func count(_ entry: String, size: UInt64, in directory: Directory) throws {
        entries += 1
        guard entries <= limits.entries else {
            throw ContainerError.importLimit("entries", limits.entries, at: entry)
        }
        let (sum, overflow) = bytes.addingReportingOverflow(size)
        guard !overflow, sum <= limits.unpackedBytes else {
            throw ContainerError.importLimit("unpacked bytes", limits.unpackedBytes, at: entry)
        }
        bytes = sum
        try spend(4096, in: directory)
    }

    /// Before bytes are written.
    mutating func spend(_ count: UInt64, in directory: Directory) throws {
        if count < untilLook {
            untilLook -= count
            return
        }
        let free = try FileSystemSpace(of: directory).freeBytes
        let (needed, overflow) = limits.reservedBytes.addingReportingOverflow(count)
        guard !overflow, free >= needed else {
            throw ContainerError.diskFull(directory.path, free: free, reserved: limits.reservedBytes)
        }
        // Others write too, so the distance to the reserve is only a bound.
        untilLook = min((free - needed) / 2, 64 << 20)
    }
}
