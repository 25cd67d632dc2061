// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing
import Wire

@testable import Core

@Suite struct StageTests {
    private typealias Kind = Gantry.Init.V1.Step.Kind

    private static func mount(_ type: String, _ target: String) -> Kind {
        .mount(.init(type: PlanText.trusted(type), target: PlanText.trusted(target)))
    }

    private static let sys = mount("sysfs", "/sys")
    private static let dev = mount("tmpfs", "/dev")
    private static let shm = mount("tmpfs", "/dev/shm")
    private static let develop = mount("tmpfs", "/develop")
    private static let proc = mount("proc", "/proc")
    private static let net = UInt64(UInt32(bitPattern: Namespace.network))
    private static let stage = Stage(namespaces: net, steps: [sys, dev, shm, develop, .loopback(.init())])

    private func steps(_ kinds: [Kind]) -> [Gantry.Init.V1.Step] {
        kinds.map { Gantry.Init.V1.Step(origin: PlanText.trusted("test"), kind: $0) }
    }

    private func attach(_ tree: UInt32, _ target: String, strict: Bool = false) -> Kind {
        .attach(.init(tree: tree, target: PlanText.trusted(target), strict: strict))
    }

    @Test func theRecipeEndsWithTheTreesThatNoOtherHolds() {
        let kinds = Self.stage.recipe.steps.compactMap(\.kind)
        #expect(kinds.dropLast() == Self.stage.steps[...])
        #expect(kinds.last == .park(.init(trees: ["/sys", "/dev", "/develop"].map(PlanText.trusted))))
    }

    @Test func whatTheStageHoldsIsAttachedFirst() throws {
        let asked = steps([Self.proc] + Self.stage.steps + [.hostname(.init(name: PlanText.trusted("x")))])
        let plan = try #require(Self.stage.replacing(asked, namespaces: Self.net | 0x2000_0000))
        #expect(
            plan.compactMap(\.kind) == [
                attach(0, "/sys", strict: true), attach(1, "/dev"), attach(2, "/develop"), Self.proc,
                .hostname(.init(name: PlanText.trusted("x"))),
            ])
    }

    @Test func aContainerThatWantsSomethingElseTakesNone() {
        let all = Self.stage.steps
        #expect(Self.stage.replacing(steps(all), namespaces: 0) == nil, "the host's network")
        #expect(Self.stage.replacing(steps(Array(all.dropLast())), namespaces: Self.net) == nil, "a step is missing")
        #expect(Self.stage.replacing(steps([]), namespaces: Self.net) == nil)
        var other = all
        other[2] = .mount(
            .init(
                type: PlanText.trusted("tmpfs"), target: PlanText.trusted("/dev/shm"),
                options: [Array("size=1m\0".utf8)]))
        #expect(Self.stage.replacing(steps(other), namespaces: Self.net) == nil, "another size")
        #expect(Self.stage.replacing(steps(all.reversed()), namespaces: Self.net) == nil, "another order")
    }

    @Test func aStepWithoutKindIsNoMatch() {
        let asked = steps(Self.stage.steps) + [Gantry.Init.V1.Step()]
        #expect(Self.stage.replacing(asked, namespaces: Self.net)?.count == 4)
    }

    @Test func withoutNamespacesOrMountsThereIsNone() {
        #expect(Stage(of: []) == nil)
        #expect(Stage(of: [Part(stage: Stage(steps: [Self.dev]))]) == nil)
        #expect(Stage(of: [Part(stage: Stage(namespaces: Self.net, steps: [.loopback(.init())]))]) == nil)
        let both = [Part(stage: Stage(steps: [Self.dev])), Part(stage: Stage(namespaces: Self.net))]
        #expect(Stage(of: both) == Stage(namespaces: Self.net, steps: [Self.dev]))
    }

    private struct Part: Isolator {
        let name = "part"
        let stage: Stage

        func prepare(_ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig) async throws -> Contribution? {
            nil
        }
    }
}
