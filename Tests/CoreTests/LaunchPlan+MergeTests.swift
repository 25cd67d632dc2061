// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import Core

/// Each row of containerizer.md 3.5.
@Suite struct LaunchInfoMergeTests {
    private typealias Info = Mesos.Slave.ContainerLaunchInfo

    private func merge(_ infos: Mesos.Slave.ContainerLaunchInfo...) throws -> Mesos.Slave.ContainerLaunchInfo {
        var merge = LaunchInfoMerge()
        for (index, info) in infos.enumerated() {
            try merge.add(.init(isolator: "isolator/\(index)", contribution: .init(launchInfo: info)))
        }
        return merge.merged
    }

    @Test func listsAreJoinedInTheirOrderWithDuplicates() throws {
        let mount = Mesos.Slave.ContainerMountInfo(target: "/a")
        let command = Mesos.CommandInfo(value: "x")
        let operation = Mesos.Slave.ContainerFileOperation(operation: .mkdir)
        let info = Info(
            preExecCommands: [command], taskEnvironment: .init(variables: [.init(name: "A", value: "1")]),
            mounts: [mount], taskSupplementaryGroups: [3, 1], maskedPaths: ["/b", "/a"], fileOperations: [operation])
        let sum = try merge(info, info)
        #expect(sum.preExecCommands == [command, command])
        #expect(sum.mounts == [mount, mount])
        #expect(sum.fileOperations == [operation, operation])
        #expect(sum.maskedPaths == ["/b", "/a", "/b", "/a"])
        #expect(sum.taskEnvironment?.variables.count == 2)
        #expect(sum.taskSupplementaryGroups == [3, 1, 3, 1])
    }

    @Test func namespacesAndGroupsBecomeAscendingSets() throws {
        let sum = try merge(
            Info(cloneNamespaces: [8, 2], enterNamespaces: [4, 1], supplementaryGroups: [9, 3]),
            Info(cloneNamespaces: [2, 1], enterNamespaces: [1], supplementaryGroups: [3, 1]))
        #expect(sum.cloneNamespaces == [1, 2, 8])
        #expect(sum.enterNamespaces == [1, 4])
        #expect(sum.supplementaryGroups == [1, 3, 9])
    }

    @Test func theLastWordOnNewPrivilegesCounts() throws {
        #expect(try merge(Info(noNewPrivileges: true), Info(), Info(noNewPrivileges: false)).noNewPrivileges == false)
        #expect(try merge(Info(), Info()).noNewPrivileges == nil)
    }

    @Test func boundingCapabilitiesAddUp() throws {
        let sum = try merge(
            Info(boundingCapabilities: .init(capabilities: [.chown])),
            Info(boundingCapabilities: .init(capabilities: [.kill])))
        #expect(sum.boundingCapabilities?.capabilities == [.chown, .kill])
    }

    @Test func commandsMerge() throws {
        let sum = try merge(
            Info(
                command: .init(
                    uris: [.init(value: "u")], environment: .init(variables: [.init(name: "A")]), value: "a",
                    user: "u", shell: false, arguments: ["1"])),
            Info(
                command: .init(
                    uris: [.init(value: "v")], environment: .init(variables: [.init(name: "B")]), value: "b",
                    arguments: ["2"])))
        #expect(sum.command?.value == "b" && sum.command?.shell == false && sum.command?.user == "u")
        #expect(sum.command?.arguments == ["1", "2"])
        #expect(sum.command?.uris.map(\.value) == ["u", "v"])
        #expect(sum.command?.environment?.variables.map(\.name) == ["A", "B"])
    }

    @Test func seccompProfilesMerge() throws {
        func profile(
            _ action: Mesos.Seccomp.ContainerSeccompProfile.Syscall.Action, _ name: String
        ) -> Mesos.Seccomp.ContainerSeccompProfile {
            .init(defaultAction: action, syscalls: [.init(names: [name], action: action)])
        }
        let sum = try merge(
            Info(seccompProfile: profile(.init(rawValue: 1), "read")),
            Info(seccompProfile: profile(.init(rawValue: 2), "write")))
        #expect(sum.seccompProfile?.defaultAction.rawValue == 2)
        #expect(sum.seccompProfile?.syscalls.map(\.names) == [["read"], ["write"]])
    }
}
