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
