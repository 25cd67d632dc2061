// SPDX-License-Identifier: Apache-2.0

import Core
import RPC
import Reactor
import Services
import Wire

/// The methods of gantry.v1.Containerizer on the core. Launch and Attach have files of their own; the others only pass
/// on.
struct ContainerizerHandlers: ContainerizerService {
    let containerizer: Containerizer
    let reactor: Reactor

    func update(_ request: Gantry.V1.UpdateRequest, context: CallContext) async throws -> Gantry.V1.UpdateResponse {
        let id = try request.containerID.checked()
        try await containerizer.update(
            id, requests: request.resourceRequests, limits: request.resourceLimits)
        return .init()
    }

    func usage(_ request: Gantry.V1.UsageRequest, context: CallContext) async throws -> Gantry.V1.UsageResponse {
        .init(statistics: try await containerizer.usage(request.containerID.checked()))
    }

    func status(_ request: Gantry.V1.StatusRequest, context: CallContext) async throws -> Gantry.V1.StatusResponse {
        .init(status: try await containerizer.status(request.containerID.checked()))
    }

    func wait(_ request: Gantry.V1.WaitRequest, context: CallContext) async throws -> Gantry.V1.WaitResponse {
        .init(termination: try await containerizer.wait(request.containerID.checked()))
    }

    func destroy(_ request: Gantry.V1.DestroyRequest, context: CallContext) async throws -> Gantry.V1.DestroyResponse {
        .init(termination: try await containerizer.destroy(request.containerID.checked()))
    }

    /// An absent signal is SIGKILL, as in Mesos's front end.
    func kill(_ request: Gantry.V1.KillRequest, context: CallContext) async throws -> Gantry.V1.KillResponse {
        let signal = request.signal == 0 ? 9 : request.signal
        return .init(found: try await containerizer.kill(request.containerID.checked(), signal: signal))
    }

    func containers(
        _ request: Gantry.V1.ContainersRequest, context: CallContext
    ) async throws -> Gantry.V1.ContainersResponse {
        let ids = await containerizer.containers()
        return .init(containerIDs: ids.sorted { $0.text < $1.text })
    }

    func remove(_ request: Gantry.V1.RemoveRequest, context: CallContext) async throws -> Gantry.V1.RemoveResponse {
        try await containerizer.remove(request.containerID.checked())
        return .init()
    }
}

extension Optional<Mesos.ContainerID> {
    /// The id that a request must have, after the rules of containerizer.md 2.1.
    func checked() throws(ContainerError) -> Mesos.ContainerID {
        guard let id = self else {
            throw ContainerError(
                .invalidArgument, code: "container.invalid-id", "the request names no container",
                step: "checking the request", subject: "container_id", hint: "set container_id")
        }
        try id.validate()
        return id
    }
}
