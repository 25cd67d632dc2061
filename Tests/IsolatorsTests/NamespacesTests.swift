// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Testing
import Wire

@testable import Isolators

/// namespaces/pid, ipc, uts and net, and linux/nnp.
struct NamespacesTests {
    private let id = Mesos.ContainerID(value: "web")

    // MARK: pid

    @Test func aPIDNamespaceHasItsOwnProc() async throws {
        let isolator = NamespacesPID(disallowsSharing: false)
        let host = try #require(try await isolator.prepare(id, .plain()))
        #expect(host.launchInfo.cloneNamespaces == [Namespace.pid, Namespace.mount])
        #expect(host.steps.map(\.line) == ["mount proc /proc 14 "])
        let image = try #require(try await isolator.prepare(id, .plain(rootfs: "/r")))
        #expect(image.launchInfo.cloneNamespaces == [Namespace.pid, Namespace.mount])
        #expect(image.steps.isEmpty)
    }

    @Test func sharingTheHostsPIDs() async throws {
        let config = Mesos.Slave.ContainerConfig.plain(linux: .init(sharePidNamespace: true))
        #expect(try await NamespacesPID(disallowsSharing: false).prepare(id, config) == nil)
        let error = await #expect(throws: ContainerError.self) {
            try await NamespacesPID(disallowsSharing: true).prepare(id, config)
        }
        #expect(error?.code == "namespaces.pid.sharing-disallowed")
        #expect(error?.kind == .permissionDenied)
    }

    // MARK: ipc

    struct IPC: Sendable {
        var mode: Mesos.LinuxInfo.IpcMode?
        var size: UInt32?
        var defaultSize: UInt32?
        var rootfs: String?
        var namespaces: [Int32]
        var steps: [String]
    }

    @Test(arguments: [
        IPC(namespaces: [Namespace.ipc], steps: []),
        IPC(rootfs: "/r", namespaces: [Namespace.ipc], steps: ["mount tmpfs /dev/shm 38 mode=1777"]),
        IPC(
            mode: .private, namespaces: [Namespace.ipc, Namespace.mount],
            steps: ["mount tmpfs /dev/shm 38 mode=1777"]),
        IPC(
            mode: .private, size: 64, defaultSize: 8, rootfs: "/r", namespaces: [Namespace.ipc, Namespace.mount],
            steps: ["mount tmpfs /dev/shm 38 mode=1777,size=64m"]),
        IPC(
            mode: .private, defaultSize: 8, namespaces: [Namespace.ipc, Namespace.mount],
            steps: ["mount tmpfs /dev/shm 38 mode=1777,size=8m"]),
        IPC(mode: .shareParent, namespaces: [], steps: []),
        IPC(mode: .shareParent, rootfs: "/r", namespaces: [], steps: ["bind /dev/shm /dev/shm 0 rec"]),
    ])
    func topLevelIPC(example: IPC) async throws {
        let isolator = NamespacesIPC(disallowsSharing: false, defaultSize: example.defaultSize)
        let config = Mesos.Slave.ContainerConfig.plain(
            rootfs: example.rootfs, linux: .init(ipcMode: example.mode, shmSize: example.size))
        let contribution = try #require(try await isolator.prepare(id, config))
        #expect(contribution.launchInfo.cloneNamespaces == example.namespaces)
        #expect(contribution.steps.map(\.line) == example.steps)
    }

    @Test(arguments: [nil, Mesos.LinuxInfo.IpcMode.shareParent]) func aSizeNeedsAPrivateNamespace(
        mode: Mesos.LinuxInfo.IpcMode?
    ) async {
        let config = Mesos.Slave.ContainerConfig.plain(linux: .init(ipcMode: mode, shmSize: 64))
        let error = await #expect(throws: ContainerError.self) {
            try await NamespacesIPC(disallowsSharing: false, defaultSize: nil).prepare(id, config)
        }
        #expect(error?.code == "namespaces.ipc.shm-size")
    }

    @Test func sharingTheHostsIPCDisallowed() async {
        let config = Mesos.Slave.ContainerConfig.plain(linux: .init(ipcMode: .shareParent))
        let error = await #expect(throws: ContainerError.self) {
            try await NamespacesIPC(disallowsSharing: true, defaultSize: nil).prepare(id, config)
        }
        #expect(error?.code == "namespaces.ipc.sharing-disallowed")
    }

    // MARK: Nested

    private let child = Mesos.ContainerID(value: "a", parent: .init(value: "web"))

    private func debug(_ config: Mesos.Slave.ContainerConfig = .plain()) -> Mesos.Slave.ContainerConfig {
        var config = config
        config.containerClass = .debug
        return config
    }

    @Test func aNestedContainerIsAmongItsParentsProcesses() async throws {
        let isolator = NamespacesPID(disallowsSharing: true)
        let own = try #require(try await isolator.prepare(child, .plain()))
        #expect(own.launchInfo.enterNamespaces == [Namespace.pid])
        #expect(own.launchInfo.cloneNamespaces == [Namespace.pid, Namespace.mount])
        #expect(own.steps.map(\.line) == ["mount proc /proc 14 "])
        let sharing = Mesos.LinuxInfo(sharePidNamespace: true)
        let shared = try #require(try await isolator.prepare(child, .plain(linux: sharing)))
        #expect(shared.launchInfo.enterNamespaces == [Namespace.pid])
        #expect(shared.launchInfo.cloneNamespaces == [Namespace.mount])
        #expect(shared.steps.map(\.line) == ["mount proc /proc 14 "])
        #expect(try await isolator.prepare(child, .plain(rootfs: "/r", linux: sharing))?.steps.isEmpty == true)
        let joined = try #require(try await isolator.prepare(child, debug(.plain(linux: sharing))))
        #expect(joined.launchInfo == .init(enterNamespaces: [Namespace.pid]))
        #expect(joined.steps.isEmpty)
    }

    @Test func aNestedContainerHasItsParentsNetworkAndName() async throws {
        for config in [Mesos.Slave.ContainerConfig.plain(), debug(), debug(.plain(hostname: "x"))] {
            let name = try #require(try await NamespacesUTS().prepare(child, config))
            #expect(name.launchInfo == .init(enterNamespaces: [Namespace.hostName]) && name.steps.isEmpty)
            let network = try #require(try await NamespacesNet().prepare(child, config))
            #expect(network.launchInfo == .init(enterNamespaces: [Namespace.network]) && network.steps.isEmpty)
        }
        let named = try #require(try await NamespacesUTS().prepare(child, .plain(hostname: "x")))
        #expect(named.launchInfo == .init(cloneNamespaces: [Namespace.hostName]))
        #expect(named.steps.map(\.line) == ["hostname x"])
    }

    struct NestedIPC: Sendable {
        var mode: Mesos.LinuxInfo.IpcMode?
        var rootfs: String?
        /// Modes of the containers around it, from the inside.
        var around: [Mesos.LinuxInfo.IpcMode?] = [nil]
        var roots: String?
        var entered: [Int32] = [Namespace.ipc]
        /// Nil for an error.
        var steps: [String]? = []
    }

    @Test(arguments: [
        NestedIPC(), NestedIPC(rootfs: "/r", steps: ["mount tmpfs /dev/shm 38 mode=1777"]),
        NestedIPC(mode: .shareParent),
        NestedIPC(mode: .shareParent, rootfs: "/r", steps: ["bind /dev/shm /dev/shm 0 rec"]),
        NestedIPC(
            mode: .shareParent, rootfs: "/r", around: [.shareParent, .shareParent], roots: "/r",
            steps: ["bind /dev/shm /dev/shm 0 rec"]),
        NestedIPC(mode: .shareParent, around: [nil], roots: "/r", steps: nil),
        NestedIPC(mode: .shareParent, around: [.shareParent, .private], steps: nil),
        NestedIPC(mode: .private, around: [.private], entered: [], steps: ["mount tmpfs /dev/shm 38 mode=1777"]),
    ])
    func nestedIPC(example: NestedIPC) async throws {
        let isolator = NamespacesIPC(disallowsSharing: true, defaultSize: nil)
        let config = Mesos.Slave.ContainerConfig.plain(rootfs: example.rootfs, linux: .init(ipcMode: example.mode))
        let ancestors = example.around.map { mode in
            Mesos.Slave.ContainerConfig.plain(rootfs: example.roots, linux: .init(ipcMode: mode))
        }
        guard let steps = example.steps else {
            let error = await #expect(throws: ContainerError.self) {
                try await isolator.prepare(child, config, within: ancestors)
            }
            #expect(error?.code == "namespaces.ipc.parents-memory")
            return
        }
        let contribution = try #require(try await isolator.prepare(child, config, within: ancestors))
        #expect(contribution.launchInfo.enterNamespaces == example.entered)
        #expect(contribution.steps.map(\.line) == steps)
    }

    @Test func theIPCOfADebugContainer() async throws {
        let isolator = NamespacesIPC(disallowsSharing: true, defaultSize: nil)
        let joined = try #require(try await isolator.prepare(child, debug(), within: [.plain(rootfs: "/r")]))
        #expect(joined.launchInfo == .init(enterNamespaces: [Namespace.ipc]) && joined.steps.isEmpty)
        let error = await #expect(throws: ContainerError.self) {
            try await isolator.prepare(child, debug(.plain(linux: .init(ipcMode: .private))), within: [.plain()])
        }
        #expect(error?.code == "namespaces.ipc.debug")
    }

    // MARK: uts, net, nnp

    @Test func hostNames() async throws {
        let named = try #require(try await NamespacesUTS().prepare(id, .plain(hostname: "front")))
        #expect(named.launchInfo.cloneNamespaces == [Namespace.hostName])
        #expect(named.steps.map(\.line) == ["hostname front"])
        let unnamed = try #require(try await NamespacesUTS().prepare(id, .plain()))
        #expect(unnamed.steps.map(\.line) == ["hostname web"])
    }

    @Test(arguments: [
        ("web", "web"), (String(repeating: "a", count: 65), String(repeating: "a", count: 64)),
        (String(repeating: "é", count: 40), String(repeating: "é", count: 32)),
    ])
    func hostNamesFromIDs(value: String, name: String) {
        #expect(NamespacesUTS.name(from: .init(value: value, parent: .init(value: "x"))) == name)
    }

    @Test(arguments: ["", String(repeating: "a", count: 65), "a\0b"]) func badHostNames(name: String) async {
        let error = await #expect(throws: ContainerError.self) {
            try await NamespacesUTS().prepare(id, .plain(hostname: name))
        }
        #expect(error?.kind == .invalidArgument)
    }

    @Test func aNetworkOfOnesOwn() async throws {
        let contribution = try #require(try await NamespacesNet().prepare(id, .plain()))
        #expect(contribution.launchInfo.cloneNamespaces == [Namespace.network])
        #expect(contribution.steps.map(\.line) == ["loopback"])
    }

    @Test func noNewPrivileges() async throws {
        let contribution = try #require(try await LinuxNNP().prepare(id, .plain()))
        #expect(contribution.launchInfo == .init(noNewPrivileges: true))
    }
}
