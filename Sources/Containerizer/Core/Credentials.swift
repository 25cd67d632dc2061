// SPDX-License-Identifier: Apache-2.0

import Glibc
import Wire

/// The five capability sets as bits, computed from the two that a launch info has (containerizer.md 6.6).
struct CapabilitySets: Hashable {
    var bounding: UInt64
    var effective: UInt64
    var ambient: UInt64

    /// Nil when the launch info leaves the capabilities as they are.
    ///
    /// - Parameter ambient: whether the command keeps the effective set across exec without being root.
    init?(_ info: Mesos.Slave.ContainerLaunchInfo, ambient: Bool) {
        let effective = info.effectiveCapabilities.map(Self.bits)
        let bounding = info.boundingCapabilities.map(Self.bits)
        guard effective != nil || bounding != nil else { return nil }
        self.bounding = bounding ?? effective ?? 0
        self.effective = effective ?? self.bounding
        self.ambient = ambient ? self.effective : 0
    }

    /// Inheritable is empty unless ambient needs it: a set that nobody asked for has been a hole in every runtime that
    /// filled it (CVE-2022-29162). Ambient bits must be inheritable (capabilities(7)).
    var step: Gantry.Init.V1.Capabilities {
        .init(
            bounding: bounding, effective: effective, permitted: effective, inheritable: ambient, ambient: ambient)
    }

    /// Messages carry the kernel's numbers plus 1000.
    private static func bits(_ info: Mesos.CapabilityInfo) -> UInt64 {
        info.capabilities.reduce(0) { bits, capability in
            let number = Int64(capability.rawValue) - 1000
            return (0..<64).contains(number) ? bits | 1 << UInt64(number) : bits
        }
    }
}

extension Mesos.RLimitInfo {
    /// One step a limit. Both values or none (unlimited); one alone is refused (containerizer.md H19).
    func planSteps() throws(ContainerError) -> [Gantry.Init.V1.Step.Kind] {
        var steps: [Gantry.Init.V1.Step.Kind] = []
        for limit in rlimits {
            guard let resource = limit.type?.resource, (limit.soft == nil) == (limit.hard == nil) else {
                throw ContainerError(
                    .invalidArgument, code: "launch.invalid-rlimit",
                    "the resource limit of type \(limit.type?.rawValue ?? 0) is unknown or has only one of soft and hard",
                    step: "checking the request", subject: "rlimit_info",
                    hint: "give both values, or none for unlimited")
            }
            steps.append(
                .resourceLimit(.init(resource: resource, soft: limit.soft ?? .max, hard: limit.hard ?? .max)))
        }
        return steps
    }
}

extension Mesos.RLimitInfo.RLimit.TypeEnum {
    /// The kernel's number for this limit on x86 and arm64 (asm-generic/resource.h).
    fileprivate var resource: UInt32? {
        switch self {
        case .rlmtCpu: 0
        case .rlmtFsize: 1
        case .rlmtData: 2
        case .rlmtStack: 3
        case .rlmtCore: 4
        case .rlmtRss: 5
        case .rlmtNproc: 6
        case .rlmtNofile: 7
        case .rlmtMemlock: 8
        case .rlmtAs: 9
        case .rlmtLocks: 10
        case .rlmtSigpending: 11
        case .rlmtMsgqueue: 12
        case .rlmtNice: 13
        case .rlmtRtprio: 14
        case .rlmtRttime: 15
        default: nil
        }
    }
}
