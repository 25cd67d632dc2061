// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Testing
import Wire

@testable import Isolators

struct FilesystemLinuxTests {
    private let id = Mesos.ContainerID(value: "web")

    private func isolator(ipc: Bool = false, view: Bool = false, volumes: Bool = false) -> FilesystemLinux {
        FilesystemLinux(
            sandboxDirectory: "/mnt/mesos/sandbox", hasIPCIsolator: ipc, hasCgroupView: view, hasVolumes: volumes)
    }

    @Test func withoutAnImageThereIsOnlyTheNamespace() async throws {
        let contribution = try #require(try await isolator().prepare(id, .plain()))
        #expect(contribution.launchInfo == .init(cloneNamespaces: [Namespace.mount]))
        #expect(contribution.steps.isEmpty)
    }

    @Test func theWholeTable() async throws {
        let contribution = try #require(try await isolator().prepare(id, .plain(rootfs: "/r")))
        // Attributes: 1 read-only, 2 nosuid, 4 nodev, 8 noexec, 32 strictatime.
        #expect(
            contribution.steps.map(\.line) == [
                "mount proc /proc 14 ",
                "bind /proc/bus /proc/bus 15 rec in-root opt",
                "bind /proc/fs /proc/fs 15 rec in-root opt",
                "bind /proc/irq /proc/irq 15 rec in-root opt",
                "bind /proc/sys /proc/sys 15 rec in-root opt",
                "bind /proc/sysrq-trigger /proc/sysrq-trigger 15 rec in-root opt",
                "mount sysfs /sys 15 ",
                "mount tmpfs /sys/fs/cgroup 14 mode=755",
                "mount tmpfs /dev 42 mode=755",
                "device /dev/full 1:7 20666",
                "device /dev/null 1:3 20666",
                "device /dev/random 1:8 20666",
                "device /dev/tty 5:0 20666",
                "device /dev/urandom 1:9 20666",
                "device /dev/zero 1:5 20666",
                "mount devpts /dev/pts 10 newinstance,ptmxmode=0666,mode=0620,gid=5",
                "link /dev/fd -> /proc/self/fd",
                "link /dev/stdin -> /proc/self/fd/0",
                "link /dev/stdout -> /proc/self/fd/1",
                "link /dev/stderr -> /proc/self/fd/2",
                "link /dev/ptmx -> pts/ptmx",
                "mount tmpfs /dev/shm 38 mode=1777",
                "mount tmpfs /tmp 6 mode=1777",
                "bind /var/sandbox /mnt/mesos/sandbox 0 rec",
            ])
        #expect(contribution.launchInfo.cloneNamespaces == [Namespace.mount])
        #expect(
            contribution.launchInfo.maskedPaths == [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/latency_stats",
                "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
            ])
    }

    @Test func otherIsolatorsTakeTheirMounts() async throws {
        let contribution = try #require(
            try await isolator(ipc: true, view: true).prepare(id, .plain(rootfs: "/r")))
        let lines = contribution.steps.map(\.line)
        #expect(!lines.contains { $0.contains("/dev/shm") })
        #expect(!lines.contains { $0.contains("/sys/fs/cgroup") })
        #expect(lines.count == 22)
    }

    @Test func aContainerWithTheHostsProcessesIsNotMasked() async throws {
        let contribution = try #require(
            try await isolator().prepare(id, .plain(rootfs: "/r", linux: .init(sharePidNamespace: true))))
        #expect(contribution.launchInfo.maskedPaths.isEmpty)
    }

    @Test func aSandboxWithNULIsRefused() async {
        var config = Mesos.Slave.ContainerConfig.plain(rootfs: "/r")
        config.directory = "/var/x\0y"
        let error = await #expect(throws: ContainerError.self) { try await isolator().prepare(id, config) }
        #expect(error?.code == "launch.nul-in-text")
    }

    @Test func volumesAreRefusedWhereNobodyMountsThem() async throws {
        let config = Mesos.Slave.ContainerConfig.plain(
            rootfs: "/r", volumes: [.init(containerPath: "/data", hostPath: "/srv", mode: .rw)])
        let error = await #expect(throws: ContainerError.self) { try await isolator().prepare(id, config) }
        #expect(error?.code == "isolator.no-volumes")
        #expect(error?.kind == .failedPrecondition)
        #expect(try await isolator(volumes: true).prepare(id, config) != nil)
    }

    @Test func aNestedContainersSandboxIsReachedWithoutLinks() async throws {
        let child = Mesos.ContainerID(value: "a", parent: id)
        let contribution = try #require(try await isolator().prepare(child, .plain(rootfs: "/r"), within: [.plain()]))
        #expect(contribution.steps.last?.line == "bind /var/sandbox /mnt/mesos/sandbox 0 rec strict")
        #expect(contribution.launchInfo.cloneNamespaces == [Namespace.mount])
        #expect(contribution.launchInfo.enterNamespaces.isEmpty)
    }

    /// Only one that sees the host's processes, through all containers around it.
    @Test(arguments: [[true], [false], [true, true], [true, false], [false, true]]) func masksOfNestedContainers(
        sharing: [Bool]
    ) async throws {
        let child = Mesos.ContainerID(value: "a", parent: id)
        let ancestors = sharing.map { Mesos.Slave.ContainerConfig.plain(linux: .init(sharePidNamespace: $0)) }
        let config = Mesos.Slave.ContainerConfig.plain(rootfs: "/r", linux: .init(sharePidNamespace: true))
        let contribution = try #require(try await isolator().prepare(child, config, within: ancestors))
        #expect(contribution.launchInfo.maskedPaths.isEmpty == sharing.allSatisfy { $0 })
    }

    @Test func aDebugContainerIsWhereItsParentIs() async throws {
        let child = Mesos.ContainerID(value: "a", parent: id)
        var debug = Mesos.Slave.ContainerConfig.plain()
        debug.containerClass = .debug
        let contribution = try #require(try await isolator().prepare(child, debug, within: [.plain(rootfs: "/r")]))
        #expect(contribution.launchInfo == .init(enterNamespaces: [Namespace.mount]))
        #expect(contribution.steps.isEmpty)

        var volumes = debug
        volumes.containerInfo?.volumes = [.init(containerPath: "/data", hostPath: "/srv", mode: .rw)]
        var rootfs = debug
        rootfs.rootfs = "/r"
        for config in [volumes, rootfs] {
            let error = await #expect(throws: ContainerError.self) {
                try await isolator(volumes: true).prepare(child, config, within: [.plain()])
            }
            #expect(error?.code == "isolator.debug-file-system")
            #expect(error?.kind == .invalidArgument)
        }
    }
}
