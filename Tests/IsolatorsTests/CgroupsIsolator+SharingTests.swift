// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Testing
import Wire

@testable import Isolators

/// Cgroups of nested containers, on this machine's own.
@Suite(
    .enabled(
        if: RealCgroups.hasVersion1 || RealCgroups.hasVersion2,
        "needs root, and cgroup controllers of one version or the other"))
struct CgroupSharingTests {
    private let cgroups: RealCgroups
    private let child: Mesos.ContainerID
    private let deep: Mesos.ContainerID

    init() throws {
        cgroups = try RealCgroups()
        child = Mesos.ContainerID(value: "child", parent: cgroups.id)
        deep = Mesos.ContainerID(value: "deep", parent: child)
    }

    private func config(
        shares: Bool? = nil, debug: Bool = false, rootfs: String? = nil, limits: [String: Double] = [:]
    ) -> Mesos.Slave.ContainerConfig {
        var config = Mesos.Slave.ContainerConfig.plain(
            rootfs: rootfs, linux: .init(shareCgroups: shares), limits: limits)
        if debug { config.containerClass = .debug }
        return config
    }

    private func directory(_ id: Mesos.ContainerID) throws -> CgroupDirectory {
        try #require(cgroups.mounts.directory("memory", cgroups.layout.path(id)))
    }

    private var memoryLimitFile: String { cgroups.mounts.mode == .v2 ? "memory.max" : "memory.limit_in_bytes" }

    @Test func aSharingContainerIsInThoseAroundIt() async throws {
        let isolator = try await cgroups.isolator()
        let (top, middle) = (config(limits: ["mem": 64]), config())
        let parent = try #require(try await isolator.prepare(cgroups.id, top, within: []))
        let shared = try #require(try await isolator.prepare(child, middle, within: [top]))
        let below = try #require(try await isolator.prepare(deep, config(debug: true), within: [middle, top]))
        #expect(shared.cgroup1Directories == parent.cgroup1Directories)
        #expect(below.cgroup1Directories == parent.cgroup1Directories)
        if cgroups.mounts.mode == .v2 {
            for id in [child, deep] {
                #expect(try directory(id).child("leaf").exists)
                #expect(try !directory(id).has("memory.max"), "no controllers there")
            }
        } else {
            for id in [child, deep] { #expect(try !directory(id).exists) }
        }
        for id in [child, deep] {
            #expect(await isolator.limitation(id) == nil)
            #expect(try await isolator.usage(id) == nil)
            try await isolator.isolate(id, pid: 1)
            let watch = Task { try await isolator.watch(id) }
            watch.cancel()
            await #expect(throws: CancellationError.self) { try await watch.value }
        }
        for id in [deep, child, cgroups.id] { try await isolator.cleanup(id) }
        #expect(try !directory(cgroups.id).exists)
    }

    @Test func theCleanupOfASharingContainerLeavesItsParents() async throws {
        let isolator = try await cgroups.isolator()
        _ = try await isolator.prepare(cgroups.id, config(limits: ["mem": 64]), within: [])
        _ = try await isolator.prepare(child, config(), within: [config()])
        try await isolator.cleanup(child)
        #expect(try directory(cgroups.id).read(memoryLimitFile) == "67108864\n")
        // And the name can be used again.
        _ = try await isolator.prepare(child, config(), within: [config()])
        try await isolator.cleanup(child)
        try await isolator.cleanup(cgroups.id)
    }

    @Test func aContainerWithCgroupsOfItsOwnHasLimits() async throws {
        let isolator = try await cgroups.isolator()
        let (top, own) = (config(limits: ["mem": 64]), config(shares: false, limits: ["mem": 48, "pids": 9]))
        let parent = try #require(try await isolator.prepare(cgroups.id, top, within: []))
        let contribution = try #require(try await isolator.prepare(child, own, within: [top]))
        #expect(try directory(child).read(memoryLimitFile) == "50331648\n")
        #expect(try directory(cgroups.id).read(memoryLimitFile) == "67108864\n")
        if cgroups.mounts.mode == .v2 {
            #expect(try directory(child).child("leaf").exists)
        } else {
            #expect(contribution.cgroup1Directories.contains(try directory(child).path))
            #expect(Set(contribution.cgroup1Directories).isDisjoint(with: parent.cgroup1Directories))
        }
        // What shares with it is in its cgroups, not in its parent's.
        let below = try #require(try await isolator.prepare(deep, config(), within: [own, top]))
        #expect(below.cgroup1Directories == contribution.cgroup1Directories)
        #expect(try await isolator.usage(child)?.memTotalBytes != nil)
        for id in [deep, child] { try await isolator.cleanup(id) }
        #expect(try !directory(child).exists)
        try await isolator.cleanup(cgroups.id)
        #expect(try !directory(cgroups.id).exists)
    }

    @Test func theViewOfTheCgroups() async throws {
        let isolator = try await cgroups.isolator("cgroups/mem")
        let top = config(rootfs: "/r")
        _ = try await isolator.prepare(cgroups.id, top, within: [])
        let shared = try #require(try await isolator.prepare(child, config(rootfs: "/r"), within: [top]))
        let place = try cgroups.mounts.mode == .v2 ? directory(child).child("leaf") : directory(cgroups.id)
        #expect(shared.steps.contains { $0.line.hasPrefix("bind \(place.path) /sys/fs/cgroup") })
        #expect(shared.launchInfo.cloneNamespaces == [Namespace.mount])
        let debug = try #require(try await isolator.prepare(deep, config(debug: true), within: [config(), top]))
        #expect(debug.launchInfo == .init())
        #expect(!debug.steps.contains { $0.line.hasPrefix("bind") })
        for id in [deep, child, cgroups.id] { try await isolator.cleanup(id) }
    }
}
