// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `filesystem/linux`: a mount namespace of its own, and with an image the mounts that every Linux program expects
/// (isolators.md 6.1). The root itself is the provisioner's.
struct FilesystemLinux: Isolator {
    let name = "filesystem/linux"
    /// Where the sandbox appears in a container with an image.
    let sandboxDirectory: String
    /// Whether `namespaces/ipc` decides about /dev/shm.
    let hasIPCIsolator: Bool
    /// Whether the cgroups isolator covers all of /sys/fs/cgroup with one mount (version 2).
    let hasCgroupView: Bool
    /// Whether an isolator takes the volumes of a container.
    let hasVolumes: Bool

    /// All but /proc, which shows its own pid namespace, and the sandbox.
    var stage: Stage {
        Stage(steps: [Self.systemFiles] + commonFiles)
    }

    private var commonFiles: [Gantry.Init.V1.Step.Kind] {
        (hasCgroupView ? [] : [Self.cgroupDirectory]) + Self.devices + (hasIPCIsolator ? [] : [Self.sharedMemory])
            + [Self.temporaryFiles]
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        try await prepare(id, config, within: [])
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, within ancestors: [Mesos.Slave.ContainerConfig]
    ) async throws -> Contribution? {
        if config.containerClass == .debug { return try enterParent(config) }
        try refuseVolumes(config)
        var info = Mesos.Slave.ContainerLaunchInfo(cloneNamespaces: [Namespace.mount])
        guard config.rootfs != nil else { return Contribution(launchInfo: info) }

        // A container that sees the host's processes is trusted with the host's kernel files as well.
        let seesHost = ([config] + ancestors).allSatisfy { $0.containerInfo?.linuxInfo?.sharePidNamespace == true }
        if !seesHost { info.maskedPaths = Self.maskedPaths }
        let sandbox: Gantry.Init.V1.Step.Kind = .bind(
            .init(
                source: try PlanText.checked(config.directory, "directory"),
                target: PlanText.trusted(sandboxDirectory), recursive: true,
                // What is below the sandbox of another container is that one's to change.
                strictSource: id.parent != nil))
        return Contribution(
            launchInfo: info,
            steps: Self.processFiles + [Self.systemFiles] + commonFiles + [sandbox])
    }

    /// A DEBUG container is where its parent is.
    private func enterParent(_ config: Mesos.Slave.ContainerConfig) throws(ContainerError) -> Contribution {
        guard config.rootfs == nil, config.containerInfo?.volumes.isEmpty != false else {
            throw ContainerError(
                .invalidArgument, code: "isolator.debug-file-system",
                "a DEBUG container has the file system of its parent", subject: "container_info",
                hint: "leave the image and the volumes out")
        }
        return Contribution(launchInfo: .init(enterNamespaces: [Namespace.mount]))
    }

    /// A volume that nobody mounts would lose its owner's data without a word.
    private func refuseVolumes(_ config: Mesos.Slave.ContainerConfig) throws(ContainerError) {
        guard !hasVolumes, config.containerInfo?.volumes.isEmpty == false else { return }
        throw ContainerError(
            .failedPrecondition, code: "isolator.no-volumes", "the container has volumes, and no isolator mounts them",
            subject: "container_info.volumes", hint: "add the volume isolators to --isolation, or leave the volumes out"
        )
    }
}

/// The tables of isolators.md 6.1, as steps.
extension FilesystemLinux {
    private typealias Step = Gantry.Init.V1.Step.Kind

    /// /proc of the container's own pid namespace, parts of it read-only.
    private static let processFiles: [Step] =
        [.mount("proc", on: "/proc", attributes: [.noSetuid, .noExecute, .noDevices])]
        + ["bus", "fs", "irq", "sys", "sysrq-trigger"].map {
            .restrict("/proc/\($0)", [.readOnly, .noSetuid, .noExecute, .noDevices])
        }

    private static let systemFiles: Step = .mount(
        "sysfs", on: "/sys", attributes: [.readOnly, .noSetuid, .noExecute, .noDevices])

    private static let cgroupDirectory: Step = .mount(
        "tmpfs", on: "/sys/fs/cgroup", attributes: [.noSetuid, .noExecute, .noDevices], options: ["mode=755"])

    /// No nodev here: the nodes are in it.
    private static let devices: [Step] =
        [
            .mount(
                "tmpfs", on: "/dev", attributes: [.noSetuid, .noExecute, .strictAccessTime], options: ["mode=755"])
        ]
        + deviceNodes.map {
            .device("/dev/\($0.name)", major: $0.major, minor: $0.minor, mode: characterDevice | 0o666)
        }
        + [
            .mount(
                "devpts", on: "/dev/pts", attributes: [.noSetuid, .noExecute],
                options: ["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"])
        ]
        + deviceLinks.map { .symbolicLink(to: $0.to, path: "/dev/\($0.name)") }

    /// Numbers of Documentation/admin-guide/devices.txt, which never change.
    private static let deviceNodes: [(name: String, major: UInt32, minor: UInt32)] = [
        ("full", 1, 7), ("null", 1, 3), ("random", 1, 8), ("tty", 5, 0), ("urandom", 1, 9), ("zero", 1, 5),
    ]

    /// S_IFCHR of inode(7).
    private static let characterDevice: UInt32 = 0o020000

    private static let deviceLinks: [(name: String, to: String)] = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ]

    private static let sharedMemory: Step = .mount(
        "tmpfs", on: "/dev/shm", attributes: [.noSetuid, .noDevices, .strictAccessTime], options: ["mode=1777"])

    private static let temporaryFiles: Step = .mount(
        "tmpfs", on: "/tmp", attributes: [.noSetuid, .noDevices], options: ["mode=1777"])

    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
    ]
}
