// SPDX-License-Identifier: Apache-2.0

import Core
import Wire

/// What a container asks of the cgroup controllers, in their terms: cores, bytes and tasks.
struct CgroupRequest: Sendable, Hashable {
    enum Limit: Sendable, Hashable {
        case unlimited
        case amount(Double)
    }

    /// Nil when the request has none.
    var cpus: Double?
    /// Whether any part of the cpus may be taken back.
    var hasRevocableCPUs: Bool
    var cpuLimit: Limit?
    /// Bytes, at least `minimumMemory`.
    var memory: UInt64?
    /// Bytes, at least `minimumMemory`; `UInt64.max` for none.
    var hardMemoryLimit: UInt64?
    var processLimit: Limit?

    /// Less would not let the container's own supervisor live (isolators.md 3.5).
    static let minimumMemory: UInt64 = 32 << 20

    /// - Throws: `resources.invalid-…` for amounts that no container could run with.
    init(
        requests: [Mesos.Resource], limits: [String: Mesos.Value.Scalar]
    ) throws(ContainerError) {
        try ResourceAmounts.validate(requests: requests, limits: limits)
        let requested = ResourceAmounts(requests)
        let limited = ResourceAmounts(limits)
        cpus = requested.cpus
        hasRevocableCPUs = requests.contains { $0.name == "cpus" && $0.revocable != nil }
        cpuLimit = limited.cpus.map(Limit.init)
        memory = requested.mem.map { max(UInt64(truncating: $0 * 1_048_576), Self.minimumMemory) }
        if let limit = limited.mem {
            let megabytes = UInt64(truncating: limit)
            let (bytes, overflow) = megabytes.multipliedReportingOverflow(by: 1 << 20)
            hardMemoryLimit = limit.isInfinite || overflow ? .max : max(bytes, Self.minimumMemory)
        } else {
            hardMemoryLimit = memory
        }
        processLimit = (limited.pids ?? requested.pids).map(Limit.init)
    }

    /// - Throws: `resources.missing-…`, because the contract fails an update without the resource.
    static func require<Value>(_ value: Value?, _ resource: String) throws(ContainerError) -> Value {
        guard let value else {
            throw ContainerError(
                .invalidArgument, code: "resources.missing-\(resource)", "the request has no \"\(resource)\"",
                step: "updating the limits", subject: resource, hint: "name all resources that the container keeps")
        }
        return value
    }
}

extension CgroupRequest.Limit {
    fileprivate init(_ amount: Double) {
        self = amount.isInfinite ? .unlimited : .amount(amount)
    }
}

extension UInt64 {
    /// Towards zero; negative numbers and NaN give 0, too large ones the maximum.
    init(truncating value: Double) {
        if value >= 0x1p64 {
            self = .max
        } else {
            self = value > 0 ? UInt64(value) : 0
        }
    }
}
