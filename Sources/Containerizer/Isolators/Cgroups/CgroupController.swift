// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// One cgroup controller of one cgroup version. It knows its own control files and nothing of containers, so that a
/// plain directory can stand for the cgroup.
///
/// All but `watch` are short calls of the kernel.
protocol CgroupController: Sendable {
    /// The kernel's name, by which version 1 mounts the hierarchy and version 2 enables the controller.
    var name: String { get }

    /// Whether `watch` can ever return.
    var watches: Bool { get }

    /// Once at start-up, on Gantry's own cgroup: what must hold there for containers below it.
    func check(root: CgroupDirectory) throws

    /// Writes the limits. `launching` is true once, before the first process.
    func apply(_ request: CgroupRequest, to cgroup: CgroupDirectory, launching: Bool) throws

    /// Fills in the fields that the controller knows.
    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws

    /// Returns when the container has broken a limit; pends otherwise.
    func watch(_ cgroup: CgroupDirectory) async throws -> Mesos.Slave.ContainerLimitation

    /// The limit that the container has broken by now, by the kernel's own counters; nil if none, or if the cgroup is
    /// gone.
    func limitation(_ cgroup: CgroupDirectory) throws -> Mesos.Slave.ContainerLimitation?
}

extension CgroupController {
    var watches: Bool { false }
    func check(root: CgroupDirectory) throws {}
    func measure(_ cgroup: CgroupDirectory, into statistics: inout Mesos.ResourceStatistics) throws {}
    func watch(_ cgroup: CgroupDirectory) async throws -> Mesos.Slave.ContainerLimitation {
        try await pendUntilCancelled()
    }
    func limitation(_ cgroup: CgroupDirectory) throws -> Mesos.Slave.ContainerLimitation? { nil }
}
