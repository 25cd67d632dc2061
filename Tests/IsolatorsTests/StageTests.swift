// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing
import Wire

@testable import Core
@testable import Isolators

/// What the isolators say of the usual container holds for the usual container.
struct StageTests {
    private static let isolators: [any Isolator] = [
        FilesystemLinux(
            sandboxDirectory: "/mnt/mesos/sandbox", hasIPCIsolator: true, hasCgroupView: false, hasVolumes: false),
        NamespacesIPC(disallowsSharing: false, defaultSize: nil), NamespacesPID(disallowsSharing: false),
        NamespacesUTS(), NamespacesNet(),
    ]

    private func staged(_ config: Mesos.Slave.ContainerConfig) async throws -> [Gantry.Init.V1.Step]? {
        var steps: [Gantry.Init.V1.Step] = []
        var namespaces: UInt64 = 0
        for isolator in Self.isolators {
            guard let part = try await isolator.prepare(Mesos.ContainerID(value: "web"), config) else { continue }
            steps += part.steps.map { Gantry.Init.V1.Step(kind: $0) }
            for flag in part.launchInfo.cloneNamespaces { namespaces |= UInt64(UInt32(bitPattern: flag)) }
        }
        return try #require(Stage(of: Self.isolators)).replacing(steps, namespaces: namespaces)
    }

    @Test func theUsualContainerTakesAStage() async throws {
        let steps = try #require(try await staged(.plain(rootfs: "/r")))
        let attached = steps.compactMap { step in
            if case .attach(let attach)? = step.kind {
                String(decoding: attach.target.dropLast(), as: UTF8.self)
            } else {
                nil
            }
        }
        #expect(attached == ["/sys", "/dev", "/tmp"])
        let mounted = steps.compactMap { step in
            if case .mount(let mount)? = step.kind {
                String(decoding: mount.target.dropLast(), as: UTF8.self)
            } else {
                nil
            }
        }
        #expect(mounted == ["/proc"])
    }

    @Test func aSharedMemoryOfItsOwnSizeIsNotTheStages() async throws {
        var config = Mesos.Slave.ContainerConfig.plain(rootfs: "/r")
        config.containerInfo = Mesos.ContainerInfo(
            type: .mesos, linuxInfo: Mesos.LinuxInfo(ipcMode: .private, shmSize: 8))
        #expect(try await staged(config) == nil)
    }
}
