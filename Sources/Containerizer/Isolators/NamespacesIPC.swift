// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `namespaces/ipc`, the rules for top-level containers (isolators.md 7.2).
struct NamespacesIPC: Isolator {
    let name = "namespaces/ipc"
    /// Whether a container may not use the host's.
    let disallowsSharing: Bool
    /// MB of a private /dev/shm for which the container asks no size; nil for the kernel's half of the memory.
    let defaultSize: UInt32?

    /// Of the usual mode, which is the last one below.
    var stage: Stage {
        Stage(namespaces: UInt64(Namespace.ipc), steps: [Self.sharedMemory(megabytes: nil)])
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        try id.requireTopLevel(config, isolator: name)
        let info = config.containerInfo?.linuxInfo
        if info?.shmSize != nil, info?.ipcMode != .private {
            throw ContainerError(
                .invalidArgument, code: "namespaces.ipc.shm-size",
                "a size of /dev/shm needs an ipc namespace of the container's own", subject: "linux_info.shm_size",
                hint: "set ipc_mode to PRIVATE, or leave shm_size out")
        }
        let hasRoot = config.rootfs != nil
        switch info?.ipcMode {
        case .private?:
            return Contribution(
                launchInfo: .init(cloneNamespaces: [Namespace.ipc, Namespace.mount]),
                steps: [Self.sharedMemory(megabytes: info?.shmSize ?? defaultSize)])
        case .shareParent?:
            try refuseSharing()
            return Contribution(
                launchInfo: .init(),
                steps: hasRoot ? [.bind(source: "/dev/shm", target: "/dev/shm", recursive: true)] : [])
        default:
            return Contribution(
                launchInfo: .init(cloneNamespaces: [Namespace.ipc]),
                steps: hasRoot ? [Self.sharedMemory(megabytes: nil)] : [])
        }
    }

    private func refuseSharing() throws(ContainerError) {
        guard disallowsSharing else { return }
        throw ContainerError(
            .permissionDenied, code: "namespaces.ipc.sharing-disallowed",
            "sharing the host's ipc namespace is not allowed here", subject: "linux_info.ipc_mode",
            hint: "use ipc_mode PRIVATE, or start gantryd without --disallow-sharing-agent-ipc-namespace")
    }

    private static func sharedMemory(megabytes: UInt32?) -> Gantry.Init.V1.Step.Kind {
        .mount(
            "tmpfs", on: "/dev/shm", attributes: [.noSetuid, .noDevices, .strictAccessTime],
            options: ["mode=1777"] + (megabytes.map { ["size=\($0)m"] } ?? []))
    }
}
