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
        // A nested container is among its parent's processes, also with a namespace of its own below that.
        let parents = id.parent == nil ? [] : [Namespace.pid]
        if config.containerClass == .debug { return Contribution(launchInfo: .init(enterNamespaces: parents)) }
        let sharing = config.containerInfo?.linuxInfo?.sharePidNamespace == true
        if sharing, id.parent == nil {
            guard disallowsSharing else { return nil }
            throw ContainerError(
                .permissionDenied, code: "namespaces.pid.sharing-disallowed",
                "sharing the host's pid namespace is not allowed here", subject: "linux_info.share_pid_namespace",
                hint: "leave share_pid_namespace out, or start gantryd without --disallow-sharing-agent-pid-namespace")
        }
        // With an image, filesystem/linux mounts /proc in the new root. Else the host's would be seen, which does not
        // show the parent's processes either.
        let fresh: [Gantry.Init.V1.Step.Kind] =
            config.rootfs == nil
            ? [.mount("proc", on: "/proc", attributes: [.noSetuid, .noExecute, .noDevices])] : []
        let own = sharing ? [Namespace.mount] : [Namespace.pid, Namespace.mount]
        return Contribution(launchInfo: .init(cloneNamespaces: own, enterNamespaces: parents), steps: fresh)
    }
}
