// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `linux/capabilities`: decides which capabilities a container has (isolators.md 8.1).
///
/// Where neither the container nor the daemon's flags say anything, the contract leaves root all of them; here it is
/// `CapabilitySet.containerDefault`.
struct LinuxCapabilities: Isolator {
    let name = "linux/capabilities"
    private let effectiveFlag: CapabilitySet?
    private let boundingFlag: CapabilitySet?

    /// - Throws: `capabilities.flags` when the flags contradict each other.
    init(effective: CapabilitySet?, bounding: CapabilitySet?) throws(ContainerError) {
        effectiveFlag = effective
        boundingFlag = bounding
        guard let effective, let bounding, !effective.isSubset(of: bounding) else { return }
        throw Self.excess(
            effective.subtracting(bounding), "--effective-capabilities", beyond: "--bounding-capabilities",
            code: "capabilities.flags", .failedPrecondition)
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        let sets = try decide(config.containerInfo?.linuxInfo)
        return Contribution(
            launchInfo: .init(
                effectiveCapabilities: sets.effective.map(Mesos.CapabilityInfo.init(capabilities:)),
                boundingCapabilities: sets.bounding.map(Mesos.CapabilityInfo.init(capabilities:))))
    }

    /// Nil leaves a set as it is.
    func decide(
        _ info: Mesos.LinuxInfo?
    ) throws(ContainerError) -> (effective: CapabilitySet?, bounding: CapabilitySet?) {
        if info?.capabilityInfo != nil, info?.effectiveCapabilities != nil {
            throw ContainerError(
                .invalidArgument, code: "capabilities.both",
                "capability_info and effective_capabilities say the same thing, and both are set",
                subject: "linux_info", hint: "leave the deprecated capability_info out")
        }
        let asked = try (info?.effectiveCapabilities ?? info?.capabilityInfo).map(Self.set)
        let askedBounding = try info?.boundingCapabilities.map(Self.set)

        var effective = asked ?? effectiveFlag
        if effective == nil, askedBounding == nil, boundingFlag == nil { effective = .containerDefault }
        if let askedBounding, let boundingFlag, !askedBounding.isSubset(of: boundingFlag) {
            throw Self.excess(
                askedBounding.subtracting(boundingFlag), "bounding_capabilities", beyond: "--bounding-capabilities",
                code: "capabilities.not-allowed", .permissionDenied)
        }
        let bounding = askedBounding ?? boundingFlag ?? effective
        if let effective, let bounding, !effective.isSubset(of: bounding) {
            throw Self.excess(
                effective.subtracting(bounding), "effective_capabilities", beyond: "the bounding set",
                code: "capabilities.not-allowed", .permissionDenied)
        }
        return (effective, bounding)
    }

    private static func set(_ info: Mesos.CapabilityInfo) throws(ContainerError) -> CapabilitySet {
        let supported = CapabilitySet.supported()
        var set: CapabilitySet = []
        for capability in info.capabilities {
            let (number, overflow) = capability.rawValue.subtractingReportingOverflow(CapabilitySet.messageOffset)
            let one = UInt32(exactly: number).map { CapabilitySet(numbers: [$0]) } ?? []
            guard !overflow, !one.isEmpty, supported.contains(one) else {
                throw ContainerError(
                    .invalidArgument, code: "capabilities.unknown",
                    "this kernel knows no capability of number \(capability.rawValue)", subject: "linux_info",
                    hint: "numbers are those of linux/capability.h plus 1000")
            }
            set.formUnion(one)
        }
        return set
    }

    private static func excess(
        _ set: CapabilitySet, _ what: String, beyond: String, code: String, _ kind: ContainerError.Kind
    ) -> ContainerError {
        ContainerError(
            kind, code: code, "\(what) has \(set.names.joined(separator: ", ")), which \(beyond) does not have",
            subject: what, hint: "ask for less, or widen \(beyond)")
    }
}

extension CapabilitySet {
    /// Messages carry the kernel's numbers plus this.
    static let messageOffset: Int32 = 1000
}

extension Mesos.CapabilityInfo {
    init(capabilities set: CapabilitySet) {
        self.init(
            capabilities: set.numbers.map { Capability(rawValue: Int32($0) + CapabilitySet.messageOffset) })
    }
}
