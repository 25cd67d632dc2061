// SPDX-License-Identifier: Apache-2.0

import Glibc
import Wire

/// `uid` or `uid:gid` in decimal, or `root`. Names other than root need the image's user database.
struct UserIdentity: Hashable {
    var uid: UInt32
    var gid: UInt32

    init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }

    /// - Throws: `launch.invalid-user`. 4294967295 is refused: the kernel takes it for "leave as it is".
    init(parsing text: String) throws(ContainerError) {
        if text == "root" {
            self.init(uid: 0, gid: 0)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let uid = Self.number(parts[0]),
            let gid = parts.count == 2 ? Self.number(parts[1]) : uid
        else {
            throw ContainerError(
                .invalidArgument, code: "launch.invalid-user", "\"\(text)\" is not a user that can be used",
                step: "checking the request", subject: "user",
                hint: "give numbers: UID or UID:GID, each below 4294967295")
        }
        self.init(uid: uid, gid: gid)
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt32(text), number != .max else {
            return nil
        }
        return number
    }
}

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
