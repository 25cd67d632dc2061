// SPDX-License-Identifier: Apache-2.0

import Glibc
import Wire

extension Mesos.ResourceStatistics {
    /// Adds the limits that follow from what was asked for (containerizer.md 2.6, step 3).
    mutating func setLimits(
        requests: ResourceAmounts, limits: ResourceAmounts, enforcesCPURequests: Bool
    ) throws(ContainerError) {
        cpusSoftLimit = requests.cpus
        if let cpus = limits.cpus {
            cpusLimit = cpus.isInfinite ? try Host.cpus() : cpus
        } else if enforcesCPURequests {
            cpusLimit = requests.cpus
        }
        memSoftLimitBytes = requests.mem.map { Self.bytes($0) }
        if let mem = limits.mem {
            memLimitBytes = mem.isInfinite ? try Host.memory() : Self.bytes(mem)
        } else {
            memLimitBytes = memSoftLimitBytes
        }
    }

    private static func bytes(_ megabytes: Double) -> UInt64 {
        UInt64(clamping: Int64(clamping: megabytes.rounded(.down) * 1_048_576))
    }
}

private enum Host {
    static func cpus() throws(ContainerError) -> Double {
        Double(try positive(sysconf(Int32(_SC_NPROCESSORS_ONLN)), "cpus"))
    }

    static func memory() throws(ContainerError) -> UInt64 {
        let pages = try positive(sysconf(Int32(_SC_PHYS_PAGES)), "memory")
        let size = try positive(sysconf(Int32(_SC_PAGESIZE)), "memory")
        return UInt64(clamping: pages.multipliedReportingOverflow(by: size).partialValue)
    }

    private static func positive(_ value: Int, _ subject: String) throws(ContainerError) -> Int {
        guard value > 0 else {
            throw ContainerError(
                .internal, code: "host.unknown-\(subject)", "sysconf does not tell the host's \(subject)",
                step: "usage", subject: subject)
        }
        return value
    }
}

extension Message {
    /// Protobuf's merge, which by definition is what decoding the two encodings one after the other gives.
    mutating func merge(_ other: Self) throws(WireError) {
        self = try Self(decoding: try encoded() + (try other.encoded()))
    }
}
