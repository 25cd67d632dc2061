// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing
import Wire

@testable import Core

/// A plan without a launch.
@Suite struct PlanTests {
    @Test(arguments: ["p", "a.p", "a.b.p"]) func itTellsWhatInitWouldBeToldAndLeavesNothing(name: String) async throws {
        let contribution = Contribution(
            launchInfo: .init(cloneNamespaces: [Namespace.pid, Namespace.mount]),
            steps: [.mount(.init(type: PlanText.trusted("proc"), target: PlanText.trusted("/proc"), attributes: 14))])
        let fixture = try CoreFixture(["one": contribution])
        for parent in ["a", "a.b"] { try await fixture.launch(parent) }
        let plan = try await fixture.containerizer.plan(
            CoreFixture.id(name), CoreFixture.config(environment: ["SECRET": "value"]), environment: [:])
        #expect(plan.newNamespaces == ["mount", "pid"])
        let mount = plan.steps.first { $0.origin == "one" }
        #expect(mount == .init(origin: "one", name: "mount", text: "proc on /proc, nosuid,nodev,noexec"))
        #expect(plan.steps.last?.name == "execute")
        #expect(plan.steps.last?.text.contains("SECRET") == true)
        #expect(plan.steps.allSatisfy { !$0.text.contains("value") })
        #expect(plan.launchInfo?.command?.value == "true")

        #expect(await fixture.containers == ["a", "a.b"])
        #expect(!fixture.faults.log.contains("fork \(name)"))
        #expect(fixture.faults.log.contains("cleanup one \(name)"))
        #expect(!fixture.exists(fixture.runtimePath(name)) && !fixture.exists(fixture.sandboxPath(name)))
        try await fixture.destroy("a")
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func itFailsAsALaunchWould() async throws {
        let contribution = Contribution(launchInfo: .init(workingDirectory: "/x"))
        let fixture = try CoreFixture(["one": contribution, "two": contribution])
        let error = await #expect(throws: ContainerError.self) {
            try await fixture.containerizer.plan(CoreFixture.id("p"), CoreFixture.config(), environment: [:])
        }
        #expect(error?.code == "launch.conflict")
        #expect(await fixture.containers.isEmpty)
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func aNameThatIsTakenStays() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b"] { try await fixture.launch(name) }
        try await fixture.destroy("a.b")
        for name in ["a", "a.b"] {
            let error = await #expect(throws: ContainerError.self) {
                try await fixture.containerizer.plan(CoreFixture.id(name), CoreFixture.config(), environment: [:])
            }
            #expect(error?.code == "plan.name-taken")
        }
        #expect(await fixture.containers == ["a"])
        #expect(try await fixture.wait("a.b")?.status == 9)
        try await fixture.destroy("a")
    }
}
