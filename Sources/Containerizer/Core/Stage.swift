// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What most containers have in common: namespaces, and mounts in them that depend on nothing of the container. It is
/// made before a container asks for it (docs/adr/0009), and each one that is made serves one container.
///
/// Isolators say what of their contribution is of this kind. A container whose contributions hold all of it takes a
/// stage; any other is made step by step.
public struct Stage: Sendable, Hashable {
    public typealias Kind = Gantry.Init.V1.Step.Kind

    /// CLONE_NEWNET, CLONE_NEWIPC or both.
    public var namespaces: UInt64
    /// Exactly the steps that the isolators contribute, in their order.
    public var steps: [Kind]

    public init(namespaces: UInt64 = 0, steps: [Kind] = []) {
        self.namespaces = namespaces
        self.steps = steps
    }

    /// All of the isolators' parts; nil when that is nothing that would be worth it.
    public init?(of isolators: [any Isolator]) {
        self.init()
        for part in isolators.map(\.stage) {
            namespaces |= part.namespaces
            steps += part.steps
        }
        if namespaces == 0 || trees.isEmpty { return nil }
    }

    /// What init's stager executes.
    public var recipe: Gantry.Init.V1.Plan {
        let origin = PlanText.trusted("stage")
        let steps = steps.map { Gantry.Init.V1.Step(origin: origin, kind: $0) }
        let park = Gantry.Init.V1.Step(origin: origin, kind: .park(.init(trees: trees.map(\.target))))
        return Gantry.Init.V1.Plan(steps: steps + [park])
    }

    /// `steps`, the contributions of a container with `namespaces` of its own, with the stage's replaced by its trees.
    /// Nil when the container is not one for this stage.
    func replacing(_ steps: [Gantry.Init.V1.Step], namespaces: UInt64) -> [Gantry.Init.V1.Step]? {
        guard namespaces & self.namespaces == self.namespaces else { return nil }
        var missing = self.steps[...]
        var others: [Gantry.Init.V1.Step] = []
        for step in steps {
            if let next = missing.first, step.kind == next {
                missing.removeFirst()
            } else {
                others.append(step)
            }
        }
        guard missing.isEmpty else { return nil }
        let origin = PlanText.trusted("stage")
        return trees.enumerated().map { index, mount in
            Gantry.Init.V1.Step(
                origin: origin,
                kind: .attach(
                    .init(
                        tree: UInt32(index), target: mount.target,
                        // As the step that mounts it: a link at /sys would put it elsewhere.
                        strict: mount.type == PlanText.trusted("sysfs"))))
        } + others
    }

    /// The mounts that are below none of the others; what is mounted in them comes along.
    private var trees: [Gantry.Init.V1.Mount] {
        var tops: [Gantry.Init.V1.Mount] = []
        for case .mount(let mount) in steps where !tops.contains(where: { mount.target.isPath(below: $0.target) }) {
            tops.append(mount)
        }
        return tops
    }
}

extension [UInt8] {
    /// Both as init wants them: absolute, with the NUL.
    fileprivate func isPath(below other: [UInt8]) -> Bool {
        starts(with: other.dropLast() + [UInt8(ascii: "/")])
    }
}
