// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `namespaces/ipc` (isolators.md 7.2).
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
        try await prepare(id, config, within: [])
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, within ancestors: [Mesos.Slave.ContainerConfig]
    ) async throws -> Contribution? {
        let info = config.containerInfo?.linuxInfo
        if info?.shmSize != nil, info?.ipcMode != .private {
            throw ContainerError(
                .invalidArgument, code: "namespaces.ipc.shm-size",
                "a size of /dev/shm needs an ipc namespace of the container's own", subject: "linux_info.shm_size",
                hint: "set ipc_mode to PRIVATE, or leave shm_size out")
        }
        if config.containerClass == .debug { return try enterParent(info) }
        let hasRoot = config.rootfs != nil
        if id.parent != nil, info?.ipcMode != .private {
            let sharesMemory = info?.ipcMode == .shareParent
            if sharesMemory { try requireHostMemory(ancestors) }
            let memory: Gantry.Init.V1.Step.Kind =
                sharesMemory ? Self.hostMemory : Self.sharedMemory(megabytes: nil)
            return Contribution(
                launchInfo: .init(enterNamespaces: [Namespace.ipc]), steps: hasRoot ? [memory] : [])
        }
        switch info?.ipcMode {
        case .private?:
            return Contribution(
                launchInfo: .init(cloneNamespaces: [Namespace.ipc, Namespace.mount]),
                steps: [Self.sharedMemory(megabytes: info?.shmSize ?? defaultSize)])
        case .shareParent?:
            try refuseSharing()
            return Contribution(
                launchInfo: .init(),
                steps: hasRoot ? [Self.hostMemory] : [])
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

    private func enterParent(_ info: Mesos.LinuxInfo?) throws(ContainerError) -> Contribution {
        guard info?.ipcMode != .private else {
            throw ContainerError(
                .invalidArgument, code: "namespaces.ipc.debug", "a DEBUG container is in its parent's ipc namespace",
                subject: "linux_info.ipc_mode", hint: "leave ipc_mode out")
        }
        return Contribution(launchInfo: .init(enterNamespaces: [Namespace.ipc]))
    }

    /// The /dev/shm of a container that has one of its own is mounted in its own mount namespace, and nowhere else.
    private func requireHostMemory(_ ancestors: [Mesos.Slave.ContainerConfig]) throws(ContainerError) {
        // Up to the first that has not its parent's.
        guard let owner = ancestors.first(where: { $0.containerInfo?.linuxInfo?.ipcMode != .shareParent }),
            owner.containerInfo?.linuxInfo?.ipcMode == .private || owner.rootfs != nil
        else { return }
        throw ContainerError(
            .failedPrecondition, code: "namespaces.ipc.parents-memory",
            "the /dev/shm of a container around this one cannot be seen from outside of it",
            subject: "linux_info.ipc_mode",
            hint: "leave ipc_mode out: System V IPC is shared then, and /dev/shm is the container's own")
    }

    private static let hostMemory: Gantry.Init.V1.Step.Kind =
        .bind(source: "/dev/shm", target: "/dev/shm", recursive: true)

    private static func sharedMemory(megabytes: UInt32?) -> Gantry.Init.V1.Step.Kind {
        .mount(
            "tmpfs", on: "/dev/shm", attributes: [.noSetuid, .noDevices, .strictAccessTime],
            options: ["mode=1777"] + (megabytes.map { ["size=\($0)m"] } ?? []))
    }
}
