// SPDX-License-Identifier: Apache-2.0

import Kernel
import SystemPackage
import Testing
import Wire

@testable import Core

/// Containers inside of others (containerizer.md 2.3, 2.8, 2.9, 2.12, 3.11).
@Suite struct NestingTests {
    private typealias Outcome = Promise<Mesos.Slave.ContainerTermination>

    // MARK: Checks

    struct Refusal: Sendable {
        var id = "a.b"
        var config = CoreFixture.config()
        var checkpoint: String?
        var code: String
        var kind = ContainerError.Kind.invalidArgument
    }

    private static func config(_ change: (inout Mesos.Slave.ContainerConfig) -> Void) -> Mesos.Slave.ContainerConfig {
        var config = CoreFixture.config()
        change(&config)
        return config
    }

    private static func sharing(_ value: Bool) -> Mesos.ContainerInfo {
        .init(type: .mesos, linuxInfo: .init(shareCgroups: value))
    }

    @Test(arguments: [
        Refusal(
            config: config { $0.taskInfo = .init(name: "t", taskID: .init(value: "t"), slaveID: .init(value: "s")) },
            code: "launch.nested-executor"),
        Refusal(
            config: config { $0.executorInfo = .init(executorID: .init(value: "e")) }, code: "launch.nested-executor"),
        Refusal(checkpoint: "/tmp/pid", code: "launch.nested-checkpoint"),
        Refusal(id: "nobody.b", code: "launch.no-parent", kind: .notFound),
        Refusal(id: "a.nobody.c", code: "launch.no-parent", kind: .notFound),
        Refusal(id: "top", config: CoreFixture.config(debug: true), code: "launch.debug-top-level"),
        Refusal(config: CoreFixture.config(debug: true, image: true), code: "launch.debug-file-system"),
        Refusal(
            config: config {
                $0.containerClass = .debug
                $0.containerInfo = .init(
                    type: .mesos, volumes: [.init(containerPath: "/data", hostPath: "/srv", mode: .rw)])
            }, code: "launch.debug-file-system"),
        Refusal(
            config: config {
                $0.containerClass = .debug
                $0.containerInfo = sharing(false)
            }, code: "launch.own-cgroups"),
        Refusal(id: "top", config: config { $0.containerInfo = sharing(true) }, code: "launch.share-top-level"),
        Refusal(config: config { $0.limits = ["mem": .init(value: 64)] }, code: "launch.shared-limits"),
        Refusal(id: "a.m.c", config: config { $0.containerInfo = sharing(false) }, code: "launch.own-cgroups"),
        Refusal(
            id: "a.m.c",
            config: config { $0.resources = [.init(name: "mem", type: .scalar, scalar: .init(value: 64))] },
            code: "launch.shared-limits"),
        Refusal(id: "a.leaf", code: "container.invalid-id"),
    ])
    func whatIsRefusedLeavesNothing(refusal: Refusal) async throws {
        let fixture = try CoreFixture()
        try await fixture.launch("a")
        try await fixture.launch("a.m")
        let before = fixture.faults.log.count
        let error = await #expect(throws: ContainerError.self) {
            try await fixture.launch(refusal.id, refusal.config, checkpoint: refusal.checkpoint)
        }
        #expect(error?.code == refusal.code)
        #expect(error?.kind == refusal.kind)
        #expect(error?.hint.isEmpty == false)
        #expect(await fixture.containers == ["a", "a.m"])
        #expect(fixture.faults.log.count == before, "nobody was asked")
        #expect(!fixture.exists(fixture.runtimePath(refusal.id)))
        try await fixture.destroy("a")
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func aRootWhoseSandboxIsNotKnownTakesNoChildren() async throws {
        let fixture = try CoreFixture()
        await fixture.containerizer.adoptForTest(CoreFixture.id("orphan"))
        let error = await #expect(throws: ContainerError.self) { try await fixture.launch("orphan.b") }
        #expect(error?.code == "launch.root-without-sandbox")
        #expect(error?.kind == .failedPrecondition)
    }

    // MARK: What a child has of its parents

    @Test func userDirectoryAndExecutorComeFromAbove() async throws {
        let fixture = try CoreFixture()
        var config = CoreFixture.config(user: "0:0")
        config.executorInfo = .init(executorID: .init(value: "e"))
        try await fixture.launch("a", config)
        var child = CoreFixture.config()
        child.directory = "/wherever"
        try await fixture.launch("a.b", child)
        try await fixture.launch("a.b.c", CoreFixture.config(user: "root"))
        let b = try await fixture.containerizer.inspect(CoreFixture.id("a.b"))
        let c = try await fixture.containerizer.inspect(CoreFixture.id("a.b.c"))
        #expect(b.config?.user == "0:0")
        #expect(c.config?.user == "root")
        #expect(b.config?.executorInfo?.executorID.value == "e")
        #expect(c.config?.executorInfo?.executorID.value == "e")
        #expect(b.sandbox == fixture.sandboxPath("a.b"))
        #expect(c.sandbox == fixture.sandboxPath("a.b.c"))
        #expect(fixture.exists(c.sandbox))
        try await fixture.destroy("a")
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func theMarkers() async throws {
        let fixture = try CoreFixture()
        try await fixture.launch("a")
        try await fixture.launch("a.b")
        try await fixture.launch("a.d", CoreFixture.config(debug: true))
        let markers = ["a", "a.b", "a.d"].map { name in
            ["standalone.marker", "force_destroy_on_recovery"].map {
                fixture.exists(fixture.runtimePath(name) + "/" + $0)
            }
        }
        #expect(markers == [[true, false], [false, false], [false, true]])
        try await fixture.destroy("a")
    }

    /// Its namespaces would still be the host's.
    @Test func aChildWaitsUntilItsParentExecutesItsCommand() async throws {
        let fixture = try CoreFixture()
        fixture.faults.hold("release a")
        async let parent = fixture.launch("a")
        try await fixture.faults.reached("release a")
        async let child = fixture.launch("a.b")
        while await fixture.state("a.b") == nil { await Task.yield() }
        #expect(!fixture.faults.log.contains("prepare one a.b"))
        fixture.faults.release("release a")
        #expect(try await parent == .success)
        #expect(try await child == .success)
        #expect(
            fixture.faults.log.firstIndex(of: "release a") ?? .max
                < fixture.faults.log.firstIndex(of: "prepare one a.b") ?? 0)
        try await fixture.destroy("a")
    }

    @Test func aChildThatWaitsForItsParentEndsWithIt() async throws {
        let fixture = try CoreFixture()
        fixture.faults.hold("prepare one a")
        async let parent = fixture.launchOrDestroy("a")
        try await fixture.faults.reached("prepare one a")
        async let child = fixture.launchOrDestroy("a.b")
        while await fixture.state("a.b") == nil { await Task.yield() }
        async let ended = fixture.destroy("a")
        while await fixture.state("a") != "destroying" { await Task.yield() }
        #expect(await child?.code == "launch.destroyed")
        fixture.faults.release("prepare one a")
        #expect(await parent?.code == "launch.destroyed")
        #expect(try await ended?.status == nil)
        #expect(await fixture.containers.isEmpty)
        #expect(try fixture.leftovers().isEmpty)
    }

    // MARK: The end

    @Test func childrenEndBeforeTheirParents() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b", "a.b.c", "a.d"] { try await fixture.launch(name) }
        var outcomes: [Outcome] = []
        for name in ["a.b", "a.b.c", "a.d"] { outcomes.append(try await fixture.outcome(name)) }
        #expect(try await fixture.destroy("a")?.status == 9)
        for outcome in outcomes { #expect(try await outcome.value().status == 9) }
        let kills = fixture.faults.log.filter { $0.hasPrefix("kill") }
        #expect(kills.count == 4 && kills.last == "kill a")
        #expect(kills.firstIndex(of: "kill a.b.c") ?? .max < kills.firstIndex(of: "kill a.b") ?? 0)
        #expect(await fixture.containers.isEmpty)
        #expect(try await fixture.wait("a.b") == nil, "the root's directory is gone")
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func aParentThatExitsTakesItsChildrenAlong() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b"] { try await fixture.launch(name) }
        let (child, parent) = (try await fixture.outcome("a.b"), try await fixture.outcome("a"))
        while !fixture.faults.log.contains("start a") { await Task.yield() }
        fixture.launcher.process(CoreFixture.id("a"))?.end(3 << 8)
        #expect(try await parent.value().status == 3 << 8)
        #expect(try await child.value().status == 9)
    }

    @Test func aLimitationIsPassedToTheChildren() async throws {
        let fixture = try CoreFixture()
        fixture.faults.hold("watch one a")
        fixture.faults.fail("watch one a")
        for name in ["a", "a.b"] { try await fixture.launch(name) }
        let (child, parent) = (try await fixture.outcome("a.b"), try await fixture.outcome("a"))
        try await fixture.faults.reached("watch one a")
        fixture.faults.release("watch one a")
        for termination in [try await parent.value(), try await child.value()] {
            #expect(termination.state == .taskFailed)
            #expect(termination.reason == .containerLimitationMemory)
            #expect(termination.message == "too much")
            #expect(termination.status == 9)
        }
    }

    @Test func aChildThatEndsLeavesItsTerminationUntilItIsRemoved() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b"] { try await fixture.launch(name) }
        let (b, sandbox) = (CoreFixture.id("a.b"), fixture.sandboxPath("a.b"))
        var error = await #expect(throws: ContainerError.self) { try await fixture.containerizer.remove(b) }
        #expect(error?.code == "remove.not-terminated")

        fixture.launcher.process(b)?.end(42 << 8)
        #expect(try await fixture.wait("a.b")?.status == 42 << 8)
        for _ in 0..<2 {
            #expect(try await fixture.wait("a.b")?.status == 42 << 8, "as often as one asks")
            #expect(try await fixture.destroy("a.b")?.status == 42 << 8)
        }
        #expect(await fixture.containers == ["a"])
        #expect(fixture.exists(sandbox))
        #expect(fixture.exists(fixture.runtimePath("a.b") + "/config"))

        try await fixture.containerizer.remove(b)
        #expect(try await fixture.wait("a.b") == nil)
        #expect(!fixture.exists(sandbox) && !fixture.exists(fixture.runtimePath("a.b")))
        try await fixture.containerizer.remove(b)
        try await fixture.containerizer.remove(CoreFixture.id("a.never"))

        try await fixture.destroy("a")
        error = await #expect(throws: ContainerError.self) { try await fixture.containerizer.remove(b) }
        #expect(error?.code == "remove.unknown-root")
        error = await #expect(throws: ContainerError.self) {
            try await fixture.containerizer.remove(CoreFixture.id("a"))
        }
        #expect(error?.code == "remove.top-level")
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func aDamagedTerminationIsAnError() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b"] { try await fixture.launch(name) }
        try await fixture.destroy("a.b")
        let path = fixture.runtimePath("a.b") + "/termination"
        for content: [UInt8] in [[1], [9, 0, 0, 0, 1], [1, 0, 0, 0, 0xFF]] {
            try RuntimeDirectory.write(content, to: path)
            let error = await #expect(throws: ContainerError.self) { try await fixture.wait("a.b") }
            #expect(error?.code == "checkpoint.corrupt")
        }
        try RuntimeDirectory.write([], to: path)
        #expect(try await fixture.wait("a.b") == nil)
        try await fixture.destroy("a")
    }

    /// containerizer.md Q2 and Q3.
    @Test func aNameCanBeUsedAgainAndNothingOfTheFirstRunStays() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b", "a.b.c"] { try await fixture.launch(name) }
        fixture.launcher.process(CoreFixture.id("a.b"))?.end(42 << 8)
        #expect(try await fixture.wait("a.b")?.status == 42 << 8)
        let kept = fixture.sandboxPath("a.b") + "/kept"
        try RuntimeDirectory.write([1], to: kept)

        #expect(try await fixture.launch("a.b", CoreFixture.config(debug: true)) == .success)
        #expect(fixture.exists(kept), "the sandbox is used again")
        #expect(!fixture.exists(fixture.runtimePath("a.b") + "/termination"))
        #expect(!fixture.exists(fixture.runtimePath("a.b.c")))
        #expect(try await fixture.destroy("a.b")?.status == 9)
        #expect(try await fixture.wait("a.b")?.status == 9)
        try await fixture.destroy("a")
    }

    @Test func aChildThatCannotBeDestroyedKeepsItsParents() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b", "a.b.c"] { try await fixture.launch(name) }
        fixture.faults.fail("kill a.b.c")
        let error = await #expect(throws: ContainerError.self) { try await fixture.destroy("a") }
        #expect(error?.message.contains("a.b.c") == true)
        #expect(await fixture.containers == ["a", "a.b", "a.b.c"])
        for name in ["a", "a.b", "a.b.c"] { #expect(await fixture.state(name) == "destroyFailed") }
        #expect(!fixture.faults.log.contains("kill a"), "what the child lives on stays")
        let refused = await #expect(throws: ContainerError.self) { try await fixture.launch("a.d") }
        #expect(refused?.code == "launch.parent-ending")
        await #expect(throws: ContainerError.self) { try await fixture.wait("a.b.c") }

        fixture.faults.mend("kill a.b.c")
        #expect(try await fixture.destroy("a")?.status == 9)
        #expect(await fixture.containers.isEmpty)
        #expect(try fixture.leftovers().isEmpty)
    }

    // MARK: DEBUG

    @Test func aDebugContainerHasItsParentsEnvironmentAndDirectory() async throws {
        let fixture = try CoreFixture()
        try await fixture.launch(
            "a", CoreFixture.config(environment: ["A": "parent", "B": "parent"]), environment: ["C": "agent"])
        try await fixture.launch(
            "a.d", CoreFixture.config(debug: true, environment: ["B": "own"]), environment: ["D": "agent"])
        let request = try #require(fixture.launcher.request(CoreFixture.id("a.d")))
        let plan = try Gantry.Init.V1.Plan(decoding: request.plan)
        guard case .execute(let execute)? = plan.steps.last?.kind else { throw Faults.Injected(at: "no execute") }
        let block = Set(execute.environment.map(PlanText.shown))
        let sandbox = "MESOS_SANDBOX=\(fixture.sandboxPath("a"))"
        #expect(block.isSuperset(of: ["A=parent", "B=own", "C=agent", "D=agent", sandbox]))
        #expect(block.count == 6, "and PATH")
        let directories = plan.steps.compactMap { step -> String? in
            guard case .workingDirectory(let step)? = step.kind else { return nil }
            return PlanText.shown(step.path)
        }
        #expect(directories == [fixture.sandboxPath("a")])
        try await fixture.destroy("a")
    }

    @Test func aSandboxThatCannotBeMadeLeavesTheFirstRunsEnd() async throws {
        let fixture = try CoreFixture()
        for name in ["a", "a.b"] { try await fixture.launch(name) }
        try await fixture.destroy("a.b")
        let sandbox = try Directory(fixture.sandboxPath("a"))
        try sandbox.removeTree("containers")
        try sandbox.makeSymbolicLink("containers", to: Array("/nowhere".utf8))
        await #expect(throws: ContainerError.self) { try await fixture.launch("a.b") }
        #expect(try await fixture.wait("a.b")?.status == 9)
        try await fixture.destroy("a")
    }

    // MARK: Hostile parents

    /// Whoever runs in the root container may change its sandbox.
    @Test func aLinkInTheSandboxLeadsNowhere() async throws {
        let fixture = try CoreFixture()
        try await fixture.launch("a")
        let outside = fixture.sandboxPath("a") + "/outside"
        let sandbox = try Directory(fixture.sandboxPath("a"))
        try sandbox.make("outside")
        try sandbox.makeSymbolicLink("containers", to: Array(outside.utf8))
        let error = await fixture.launchOrDestroy("a.b")
        #expect(error?.errno == 20 || error?.errno == 40, "ENOTDIR or ELOOP")
        #expect(try Directory(outside).names().isEmpty)
        #expect(await fixture.containers == ["a"])
        let removal = await #expect(throws: ContainerError.self) {
            try await fixture.containerizer.remove(CoreFixture.id("a.b"))
        }
        #expect(removal?.errno == 40, "ELOOP")
        #expect(fixture.exists(outside))
        try await fixture.destroy("a")
    }
}

extension Containerizer {
    /// A container of which only the name is known.
    func adoptForTest(_ id: Mesos.ContainerID) {
        insert(Container(adopting: id))
    }

    /// What a `wait` that begins now waits for.
    func outcomeForTest(_ id: Mesos.ContainerID) throws -> Promise<Mesos.Slave.ContainerTermination> {
        try known(id).outcome
    }
}
