// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `namespaces/pid` (isolators.md 7.1).
struct NamespacesPID: Isolator {
    let name = "namespaces/pid"
    /// Whether a container may not see the host's processes.
    let disallowsSharing: Bool

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        try id.requireTopLevel(config, isolator: name)
        if config.containerInfo?.linuxInfo?.sharePidNamespace == true {
            guard disallowsSharing else { return nil }
            throw ContainerError(
                .permissionDenied, code: "namespaces.pid.sharing-disallowed",
                "sharing the host's pid namespace is not allowed here", subject: "linux_info.share_pid_namespace",
                hint: "leave share_pid_namespace out, or start gantryd without --disallow-sharing-agent-pid-namespace")
        }
        // With an image, filesystem/linux mounts /proc in the new root.
        let fresh: [Gantry.Init.V1.Step.Kind] =
            config.rootfs == nil
            ? [.mount("proc", on: "/proc", attributes: [.noSetuid, .noExecute, .noDevices])] : []
        return Contribution(
            launchInfo: .init(cloneNamespaces: [Namespace.pid, Namespace.mount]), steps: fresh)
    }
}
