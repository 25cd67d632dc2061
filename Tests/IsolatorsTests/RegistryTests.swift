// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Reactor
import Testing

@testable import Isolators

struct RegistryTests {
    private static let all = [
        "filesystem/linux", "cgroups/all", "cgroups/cpu", "cgroups/mem", "cgroups/pids", "linux/capabilities",
        "linux/nnp", "namespaces/ipc", "namespaces/pid", "namespaces/uts", "namespaces/net",
    ]

    private func environment(_ mounts: CgroupMounts, linuxLauncher: Bool = true) throws -> IsolatorEnvironment {
        var settings = IsolatorSettings(cgroupLayout: try CgroupLayout(root: "gantry"))
        settings.usesLinuxLauncher = linuxLauncher
        return IsolatorEnvironment(
            reactor: try Reactor(), pool: BlockingPool(threads: 1), cgroups: mounts, settings: settings)
    }

    private static let version1 = CgroupMounts(
        mode: .v1, hierarchies: ["cpu": "/c/cpu", "cpuacct": "/c/cpu", "memory": "/c/memory"], unified: nil)

    // MARK: Names

    @Test func theTableKnowsTheseNames() {
        #expect(IsolatorRegistry.names == Self.all)
    }

    @Test(
        arguments: [
            ("", []), ("  ", []), ("linux/nnp", ["linux/nnp"]),
            ("linux/nnp, namespaces/pid", ["linux/nnp", "namespaces/pid"]),
            ("cgroups", ["cgroups/cpu", "cgroups/mem"]),
        ] as [(String, Set<String>)])
    func normalization(flag: String, names: Set<String>) throws {
        #expect(try IsolatorRegistry.normalize(flag) == names)
    }

    @Test(arguments: [
        ("linux/nnp,linux/nnp", "isolation.duplicate", "linux/nnp"),
        ("cgroups,cgroups/mem", "isolation.duplicate", "cgroups/mem"), ("nonsense", "isolation.unknown", "nonsense"),
        ("linux/nnp,", "isolation.unknown", ""), ("cgroups/io", "isolation.unknown", "cgroups/io"),
        ("process", "isolation.unknown", "posix/cpu"),
    ])
    func refusals(flag: String, code: String, subject: String) {
        let error = #expect(throws: ContainerError.self) { try IsolatorRegistry.normalize(flag) }
        #expect(error?.code == code)
        #expect(error?.subject == subject)
        #expect(error?.kind == .invalidArgument)
    }

    @Test func anUnknownNameIsAnsweredWithTheKnownOnes() {
        let error = #expect(throws: ContainerError.self) { try IsolatorRegistry.normalize("process") }
        #expect(error?.message == "there is no isolator \"posix/cpu\" (from \"process\")")
        #expect(error?.hint == "known are " + Self.all.joined(separator: ", "))
    }

    /// The contract's rules for names that other rows will bring.
    private static let whole =
        all + [
            "filesystem/posix", "network/cni", "network/port_mapping", "network/ports", "environment_secret",
            "volume/image", "volume/host_path", "volume/sandbox_path", "posix/cpu", "posix/mem", "disk/du",
        ]

    @Test(
        arguments: [
            ("", ["filesystem/posix", "network/cni", "environment_secret"]),
            (
                "process,posix/disk",
                ["posix/cpu", "posix/mem", "disk/du", "filesystem/posix", "network/cni", "environment_secret"]
            ),
            (
                "filesystem/linux,network/ports",
                [
                    "filesystem/linux", "network/ports", "network/cni", "volume/image", "volume/host_path",
                    "volume/sandbox_path", "environment_secret",
                ]
            ),
            ("network/port_mapping", ["network/port_mapping", "filesystem/posix", "environment_secret"]),
        ] as [(String, Set<String>)])
    func impliedNames(flag: String, names: Set<String>) throws {
        #expect(try IsolatorRegistry.normalize(flag, known: Self.whole) == names)
    }

    @Test(arguments: ["filesystem/linux,filesystem/posix", "network/cni,network/port_mapping"])
    func rivals(flag: String) {
        let error = #expect(throws: ContainerError.self) {
            try IsolatorRegistry.normalize(flag, known: Self.whole)
        }
        #expect(error?.code == "isolation.conflict")
    }

    // MARK: Isolators

    @Test func theOrderIsTheTables() throws {
        let flag = "namespaces/net,namespaces/pid,linux/nnp,cgroups/mem,linux/capabilities,cgroups/cpu,filesystem/linux"
        let made = try IsolatorRegistry.make(flag, environment(Self.version1))
        #expect(
            made.map(\.name) == [
                "filesystem/linux", "cgroups", "linux/capabilities", "linux/nnp", "namespaces/pid", "namespaces/net",
            ])
    }

    @Test func cgroupsAreWatchedOnlyForMemory() throws {
        #expect(try IsolatorRegistry.make("cgroups/cpu", environment(Self.version1)).map(\.watches) == [false])
        #expect(try IsolatorRegistry.make("cgroups/all", environment(Self.version1)).map(\.watches) == [true])
    }

    @Test func aControllerThatIsNotMounted() throws {
        let environment = try environment(Self.version1)
        let error = #expect(throws: ContainerError.self) { try IsolatorRegistry.make("cgroups/pids", environment) }
        #expect(error?.code == "cgroup.controller-missing")
        #expect(error?.subject == "pids")
    }

    @Test func namespacesNeedTheFileSystem() throws {
        let environment = try environment(Self.version1)
        for name in ["namespaces/pid", "namespaces/ipc"] {
            let error = #expect(throws: ContainerError.self) { try IsolatorRegistry.make(name, environment) }
            #expect(error?.code == "isolation.missing-requirement")
            #expect(error?.subject == name)
        }
    }

    @Test func thePosixLauncherTakesWhatNeedsNoNamespace() throws {
        let environment = try environment(Self.version1, linuxLauncher: false)
        #expect(try IsolatorRegistry.make("linux/nnp,linux/capabilities", environment).count == 2)
        let error = #expect(throws: ContainerError.self) { try IsolatorRegistry.make("cgroups/cpu", environment) }
        #expect(error?.code == "isolation.launcher")
    }

    @Test func onVersion2TheLauncherNeedsTheCgroups() throws {
        let mount = try TestCgroup(["cgroup.controllers": "cpu memory\n"])
        let mounts = CgroupMounts(mode: .v2, hierarchies: [:], unified: mount.directory.path)
        #expect(try IsolatorRegistry.make("linux/nnp", environment(mounts)).map(\.name) == ["cgroups", "linux/nnp"])
        #expect(try IsolatorRegistry.make("linux/nnp", environment(Self.version1)).map(\.name) == ["linux/nnp"])
    }
}
