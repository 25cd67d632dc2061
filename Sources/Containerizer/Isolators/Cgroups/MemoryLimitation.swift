// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// How a container ran out of memory, in the words and the message that its owner gets.
struct MemoryLimitation {
    enum Cause {
        /// The container's own limit was hit.
        case ownLimit
        /// A cgroup above it, or the machine, ran out, and the kernel chose this container.
        case outside
    }

    var cause: Cause
    /// Bytes; `UInt64.max` or more than any machine has for none.
    var limit: UInt64
    /// Bytes.
    var peak: UInt64
    var cgroup: CgroupDirectory

    var message: Mesos.Slave.ContainerLimitation {
        let words =
            switch cause {
            case .ownLimit: "memory limit exceeded"
            case .outside: "killed because memory ran out outside the container"
            }
        // The kernel shows "none" in version 1 as the largest number of whole pages.
        let shown = limit >= UInt64(Int64.max) - 0xFFFF ? "none" : Self.mebibytes(limit)
        return Mesos.Slave.ContainerLimitation(
            resources: [
                Mesos.Resource(
                    name: "mem", type: .scalar, scalar: .init(value: Double(peak) / 1_048_576), role: "*")
            ],
            message: "\(words): limit \(shown), peak \(Self.mebibytes(peak)) (cgroup \(cgroup.path))",
            reason: .containerLimitationMemory)
    }

    /// "32 MiB", "31.9 MiB".
    static func mebibytes(_ bytes: UInt64) -> String {
        let tenths = ((bytes & 0xF_FFFF) * 10) >> 20
        return tenths == 0 ? "\(bytes >> 20) MiB" : "\(bytes >> 20).\(tenths) MiB"
    }
}

/// Lets the hard limit only rise: lowered below what is in use, it would kill at once (isolators.md 3.5). An unlimited
/// container stays so.
func shouldWriteHardLimit(_ hard: UInt64, current: UInt64?, launching: Bool) -> Bool {
    launching || hard == .max || hard > (current ?? .max)
}
