// SPDX-License-Identifier: Apache-2.0

import Core
import Wire

extension Mesos.ContainerID {
    /// Nested and debug containers join their parent's namespaces and cgroups, which needs its own steps.
    ///
    /// - Throws: `isolator.nesting`, kind `failedPrecondition`.
    func requireTopLevel(_ config: Mesos.Slave.ContainerConfig, isolator: String) throws(ContainerError) {
        guard parent != nil || config.containerClass == .debug else { return }
        throw ContainerError(
            .failedPrecondition, code: "isolator.nesting",
            "the isolator \(isolator) does not take nested or debug containers", subject: text,
            hint: "launch it as a container of its own")
    }
}
