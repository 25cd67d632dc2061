// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing
import Wire

@testable import Core

@Suite struct LaunchPlanTests {
    private func config(
        _ command: Mesos.CommandInfo = .init(value: "/bin/true", shell: false, arguments: ["true"])
    ) -> Mesos.Slave.ContainerConfig {
        Mesos.Slave.ContainerConfig(directory: "/sandbox", commandInfo: command)
    }

    private func plan(
        _ config: Mesos.Slave.ContainerConfig, environment: [String: String] = [:],
        root: Gantry.Init.V1.Step.Kind? = nil, parent: LaunchPlan.Parent? = nil,
        _ contributions: [(String, Contribution)] = []
    ) throws -> LaunchPlan {
        try LaunchPlan(
            config, environment: environment, root: root,
            contributions: contributions.map { NamedContribution(isolator: $0.0, contribution: $0.1) },
            parent: parent, user: config.user.flatMap { try UserName(parsing: $0).identity },
            sandboxMountPoint: "/mnt/mesos/sandbox")
    }

    private func execute(_ plan: LaunchPlan) -> Gantry.Init.V1.Execute? {
        guard case .execute(let execute)? = plan.plan.steps.last?.kind else { return nil }
        return execute
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.dropLast(), as: UTF8.self) }

    @Test func theLaterSourceOfAVariableWins() throws {
        var config = config()
        config.commandInfo.environment = .init(variables: [.init(name: "A", value: "command")])
        let isolator = Contribution(
            launchInfo: .init(
                environment: .init(variables: [
                    .init(name: "A", value: "isolator"), .init(name: "B", value: "isolator"),
                ])))
        let plan = try plan(config, environment: ["A": "agent", "B": "agent", "C": "agent"], [("x", isolator)])
        let block = execute(plan)?.environment.map(text) ?? []
        #expect(Set(block).isSuperset(of: ["A=command", "B=isolator", "C=agent", "MESOS_SANDBOX=/sandbox"]))
        #expect(block.contains { $0.hasPrefix("PATH=/usr/local/sbin:") })
        #expect(block.count == 5)
    }

    @Test func aPathOfTheUsersStays() throws {
        let plan = try plan(config(), environment: ["PATH": "/only"])
        #expect(execute(plan)?.environment.map(text).filter { $0.hasPrefix("PATH=") } == ["PATH=/only"])
    }

    @Test func aShellCommandRunsInAShell() throws {
        let plan = try plan(config(.init(value: "echo hi")))
        #expect(execute(plan).map { text($0.path) } == "sh")
        #expect(execute(plan)?.arguments.map(text) == ["sh", "-c", "echo hi"])
    }

    @Test(arguments: [
        Contribution(launchInfo: .init(rootfs: "/x")), Contribution(launchInfo: .init(user: "root")),
    ])
    func whatOnlyTheCoreSetsIsRefused(contribution: Contribution) {
        #expect(throws: ContainerError.self) { try plan(config(), [("bad", contribution)]) }
    }

    @Test(arguments: [
        Contribution(launchInfo: .init(workingDirectory: "/x")),
        Contribution(launchInfo: .init(effectiveCapabilities: .init(capabilities: []))),
        Contribution(launchInfo: .init(rlimits: .init(rlimits: []))),
        Contribution(launchInfo: .init(ttySlavePath: "/dev/pts/0")),
    ])
    func aConflictNamesBothIsolators(contribution: Contribution) {
        #expect {
            try plan(config(), [("one/a", contribution), ("two/b", contribution)])
        } throws: { error in
            guard let error = error as? ContainerError else { return false }
            return error.code == "launch.conflict" && error.message.contains("one/a")
                && error.message.contains("two/b")
        }
    }

    @Test func namespacesAndGroupsBecomeSets() throws {
        let contribution = Contribution(
            launchInfo: .init(cloneNamespaces: [Namespace.mount, Namespace.pid], supplementaryGroups: [5, 4]))
        let plan = try plan(config(), [("a", contribution), ("b", contribution)])
        #expect(plan.launchInfo.cloneNamespaces == [Namespace.mount, Namespace.pid].sorted())
        #expect(plan.launchInfo.supplementaryGroups == [4, 5])
        #expect(plan.namespaces == UInt64(Namespace.mount | Namespace.pid))
    }

    @Test func theOrderThatSafetyRestsOn() throws {
        var config = config()
        config.rootfs = "/root"
        config.user = "1000:1000"
        let contribution = Contribution(
            launchInfo: .init(
                cloneNamespaces: [Namespace.mount], effectiveCapabilities: .init(capabilities: [.init(rawValue: 1000)]),
                maskedPaths: ["/proc/kcore"], noNewPrivileges: true),
            steps: [.mount(.init(type: PlanText.trusted("proc"), target: PlanText.trusted("/proc")))])
        let root = Gantry.Init.V1.Step.Kind.overlayRoot(.init(target: PlanText.trusted("/root")))
        let plan = try plan(config, root: root, [("filesystem/linux", contribution)])
        let names = plan.plan.steps.map { step -> String in
            switch step.kind {
            case .propagation: "propagation"
            case .overlayRoot: "root"
            case .mount: "mount"
            case .mask: "mask"
            case .pivotRoot: "pivot"
            case .workingDirectory: "directory"
            case .identity: "identity"
            case .capabilities: "capabilities"
            case .noNewPrivileges: "nnp"
            case .execute: "execute"
            default: "other"
            }
        }
        #expect(
            names == [
                "propagation", "root", "mount", "mask", "pivot", "directory", "identity", "capabilities", "nnp",
                "execute",
            ])
        #expect(plan.launchInfo.workingDirectory == "/mnt/mesos/sandbox")
    }

    @Test func rootKeepsNothingAcrossExecThatItWasNotGiven() throws {
        let contribution = Contribution(
            launchInfo: .init(
                effectiveCapabilities: .init(capabilities: [.init(rawValue: 1000), .init(rawValue: 1005)])))
        let plan = try plan(config(), [("linux/capabilities", contribution)])
        let sets = plan.plan.steps.compactMap { step -> Gantry.Init.V1.Capabilities? in
            guard case .capabilities(let sets) = step.kind else { return nil }
            return sets
        }
        #expect(
            sets == [.init(bounding: 0b100001, effective: 0b100001, permitted: 0b100001, inheritable: 0, ambient: 0)])
    }

    @Test func aNulIsRefused() {
        #expect {
            try plan(config(.init(value: "/bin/true", shell: false, arguments: ["a\u{0}b"])))
        } throws: { ($0 as? ContainerError)?.code == "launch.nul-in-text" }
    }

    @Test func aCommandIsNeeded() {
        #expect { try plan(config(.init())) } throws: { ($0 as? ContainerError)?.code == "launch.no-command" }
    }

    @Test(arguments: [
        (0.0, "mem"), (1.0 / 1_048_576, "mem"), (-1, "mem"), (.nan, "mem"), (0, "cpus"), (-2, "cpus"), (.nan, "cpus"),
        (0, "pids"), (1, "pids"),
    ])
    func anAmountThatNothingCouldRunWithIsRefused(amount: Double, name: String) {
        #expect {
            try ResourceAmounts.validate(requests: [], limits: [name: .init(value: amount)])
        } throws: { error in
            guard let error = error as? ContainerError else { return false }
            return error.code == "resources.invalid-\(name)" && !error.hint.isEmpty
        }
    }

    @Test(arguments: [(32.0, "mem"), (.infinity, "mem"), (0.01, "cpus"), (.infinity, "cpus"), (16, "pids")])
    func aSensibleAmountPasses(amount: Double, name: String) throws {
        try ResourceAmounts.validate(requests: [], limits: [name: .init(value: amount)])
    }
}
