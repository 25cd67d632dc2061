// SPDX-License-Identifier: Apache-2.0

import Kernel
import Reactor
public import Wire

/// What a launch would come to.
extension Containerizer {
    /// Prepares the container as a launch does, so that every isolator decides and every error shows, and takes it down
    /// again. No process comes into being. What would be taken from a stage stands under the isolators that ask for it.
    ///
    /// - Throws: whatever a launch would, and `plan.name-taken`.
    public func plan(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, environment: [String: String]
    ) async throws -> Gantry.V1.PlanResponse {
        guard table[id] == nil, try recorded(id) == nil else {
            throw ContainerError(
                .alreadyExists, code: "plan.name-taken", "there is a container \(id.text) already", step: "plan",
                subject: id.text, hint: "give the plan a name of its own")
        }
        if let info = config.containerInfo, info.type != .mesos {
            throw ContainerError(
                .invalidArgument, code: "plan.not-supported", "the container is not one of type MESOS", step: "plan",
                subject: id.text, hint: "leave it to the containerizer of its type")
        }
        let container = try admit(id, config, hasPIDCheckpoint: false)
        container.forked.settle(.failure(Self.unknown(id)))
        let planning = Task(executorPreference: reactor) {
            try await self.makePlan(of: id, environment: environment)
        }
        container.launch = planning
        let outcome = await withTaskCancellationHandler {
            await planning.result
        } onCancel: {
            planning.cancel()
        }
        beginDestroy(container, prefilled: nil)
        _ = try await container.outcome.value()
        if id.parent != nil { try await remove(id) }
        try outcome.get()
        guard let plan = container.plan else { throw Self.unknown(id) }
        return Gantry.V1.PlanResponse(plan)
    }

    private func makePlan(of id: Mesos.ContainerID, environment: [String: String]) async throws {
        let container = try known(id)
        container.plan = try await prepare(container, environment: environment, stage: nil)
    }
}

extension Gantry.V1.PlanResponse {
    init(_ plan: LaunchPlan) {
        self.init(
            launchInfo: plan.launchInfo, newNamespaces: Namespace.names(of: plan.namespaces),
            enteredNamespaces: Namespace.names(of: plan.enters), cgroups: plan.cgroup1Directories,
            steps: plan.plan.steps.map { step in
                let (name, text) = step.kind?.description ?? ("", "")
                return Gantry.V1.PlanStep(origin: PlanText.shown(step.origin), name: name, text: text)
            })
    }
}
