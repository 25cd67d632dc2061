// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel

/// The arithmetic that both versions of the cpu controller share (isolators.md 3.3, 4.4).
struct CPUPolicy: Sendable {
    /// Whether a container without a limit gets its request as one.
    var enforcesRequests: Bool
    /// Whether revocable cpus get next to no weight.
    var lowersRevocable: Bool

    /// Microseconds; the kernel's own default.
    static let period: UInt64 = 100_000

    enum Quota: Hashable {
        /// No limit was asked for and none is enforced.
        case unset
        case unlimited
        /// Microseconds of cpu time in each period.
        case microseconds(UInt64)
    }

    func quota(_ request: CgroupRequest, cpus: Double) -> Quota {
        switch request.cpuLimit {
        case .unlimited?: .unlimited
        case .amount(let cpus)?: .microseconds(Self.microseconds(cpus))
        case nil: enforcesRequests ? .microseconds(Self.microseconds(cpus)) : .unset
        }
    }

    func lowers(_ request: CgroupRequest) -> Bool {
        lowersRevocable && request.hasRevocableCPUs
    }

    /// The kernel refuses less than a millisecond.
    private static func microseconds(_ cpus: Double) -> UInt64 {
        max(1000, UInt64(truncating: cpus * Double(period)))
    }
}
