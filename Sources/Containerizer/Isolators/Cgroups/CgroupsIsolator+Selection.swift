// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor

/// From the names in `--isolation` to the controllers of this machine's cgroup version.
extension CgroupsIsolator {
    /// Each name after `cgroups/` with the kernel's names that it stands for.
    private static let kernelNames = ["cpu": "cpu", "mem": "memory", "pids": "pids"]

    /// - Parameter names: those of the flag that begin with `cgroups/`; may be empty.
    /// - Throws: `cgroup.controller-missing` for a controller that this machine does not offer.
    convenience init(_ environment: IsolatorEnvironment, names: Set<String>) throws {
        let mounts = environment.cgroups
        let offered = try Self.offered(mounts)
        let wanted: [String]
        if names.contains("cgroups/all") {
            wanted = Self.kernelNames.values.filter(offered.contains)
        } else {
            wanted = names.compactMap { Self.kernelNames[String($0.dropFirst("cgroups/".count))] }
            for name in wanted.sorted() where !offered.contains(name) { throw Self.missing(name, mounts) }
        }
        self.init(
            mounts: mounts, layout: environment.settings.cgroupLayout,
            controllers: try wanted.sorted().flatMap { try Self.controllers($0, environment) }, pool: environment.pool,
            counts: environment.settings.countsProcesses || wanted.contains("pids"))
    }

    private static func controllers(
        _ kernelName: String, _ environment: IsolatorEnvironment
    ) throws -> [any CgroupController] {
        let settings = environment.settings
        let policy = CPUPolicy(
            enforcesRequests: settings.enforcesCPURequests, lowersRevocable: settings.lowersRevocableCPUs)
        let isVersion2 = environment.cgroups.mode == .v2
        switch kernelName {
        case "cpu":
            return isVersion2 ? [Cgroup2CPU(policy: policy)] : [Cgroup1CPU(policy: policy), Cgroup1CPUAccounting()]
        case "memory":
            return isVersion2
                ? [Cgroup2Memory(reactor: environment.reactor)]
                : [Cgroup1Memory(reactor: environment.reactor)]
        default: return [CgroupPIDs()]
        }
    }

    private static func offered(_ mounts: CgroupMounts) throws -> Set<String> {
        if mounts.mode == .v2, let unified = mounts.unified {
            return try CgroupDelegation.available(at: CgroupDirectory(unified))
        }
        var offered = Set(mounts.hierarchies.keys)
        // One name of the flag stands for both.
        if !offered.contains("cpuacct") { offered.remove("cpu") }
        return offered
    }

    private static func missing(_ name: String, _ mounts: CgroupMounts) -> ContainerError {
        let place = mounts.mode == .v2 ? "\(mounts.unified ?? "")/cgroup.controllers" : "the mounted cgroup hierarchies"
        return ContainerError(
            .failedPrecondition, code: "cgroup.controller-missing",
            "the cgroup controller \(name) is not among \(place)", step: "starting the isolator cgroups",
            subject: name, hint: "enable it in the kernel or the parent cgroup, or leave it out of --isolation")
    }
}
