// SPDX-License-Identifier: Apache-2.0
import RPC
import Services
import Synchronization
import Wire

struct FakeSystem: SystemService {
    let services: FakeServices

    init(_ services: FakeServices) {
        self.services = services
    }

    func version(_ request: Gantry.V1.VersionRequest, context: CallContext) async throws -> Gantry.V1.VersionResponse {
        Gantry.V1.VersionResponse(version: "9.9", api: "gantry.v1")
    }

    func health(_ request: Gantry.V1.HealthRequest, context: CallContext) async throws -> Gantry.V1.HealthResponse {
        Gantry.V1.HealthResponse(live: true, ready: true)
    }

    func inspect(_ request: Gantry.V1.InspectRequest, context: CallContext) async throws -> Gantry.V1.InspectResponse {
        let id = request.containerID?.value ?? ""
        guard let container = try services.current.state.withLock({ $0.containers[id] }) else {
            throw RPCError(.notFound, "there is no container \(id)")
        }
        return Gantry.V1.InspectResponse(
            container: Gantry.V1.ContainerRecord(
                containerID: container.id, state: "RUNNING", pid: 42, config: container.config))
    }

    func plan(_ request: Gantry.V1.PlanRequest, context: CallContext) async throws -> Gantry.V1.PlanResponse {
        Gantry.V1.PlanResponse(
            launchInfo: .init(workingDirectory: request.containerConfig?.directory), newNamespaces: ["mount", "pid"],
            steps: [.init(origin: "filesystem/linux", name: "mount", text: request.containerID?.value ?? "")])
    }

    func events(
        _ request: Gantry.V1.EventsRequest, responses: ResponseStream<Gantry.V1.Event>, context: CallContext
    ) async throws {
        throw RPCError(.permissionDenied, "Events")
    }

    func pending(_ request: Gantry.V1.PendingRequest, context: CallContext) async throws -> Gantry.V1.PendingResponse {
        throw RPCError(.unimplemented, "Pending")
    }

    func metrics(_ request: Gantry.V1.MetricsRequest, context: CallContext) async throws -> Gantry.V1.MetricsResponse {
        throw RPCError(.unimplemented, "Metrics")
    }

    func setLogLevel(
        _ request: Gantry.V1.SetLogLevelRequest, context: CallContext
    ) async throws -> Gantry.V1.SetLogLevelResponse {
        throw RPCError(.unimplemented, "SetLogLevel")
    }
}

struct FakeImages: ImagesService {
    /// Tells what it was asked for, as progress.
    func `import`(
        _ request: Gantry.V1.ImportRequest, responses: ResponseStream<Gantry.V1.PullProgress>, context: CallContext
    ) async throws {
        try await responses.send(Gantry.V1.PullProgress(step: "reading", doneBytes: 1, totalBytes: 2))
        let image = Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: request.reference))
        try await responses.send(Gantry.V1.PullProgress(image: image, manifestDigest: request.path))
    }

    func list(
        _ request: Gantry.V1.ListImagesRequest, context: CallContext
    ) async throws -> Gantry.V1.ListImagesResponse {
        Gantry.V1.ListImagesResponse(images: [Gantry.V1.ImageRecord(reference: "debian:12", sizeBytes: 1024)])
    }

    func remove(
        _ request: Gantry.V1.RemoveImageRequest, context: CallContext
    ) async throws -> Gantry.V1.RemoveImageResponse {
        if !request.force { throw RPCError(.permissionDenied, "not you") }
        return Gantry.V1.RemoveImageResponse(freedBytes: 2048)
    }

    func inspect(
        _ request: Gantry.V1.InspectImageRequest, context: CallContext
    ) async throws -> Gantry.V1.InspectImageResponse {
        throw RPCError(.unavailable, "recovering")
    }

    func pull(
        _ request: Gantry.V1.PullRequest, responses: ResponseStream<Gantry.V1.PullProgress>, context: CallContext
    ) async throws {
        throw RPCError(.unimplemented, "Pull")
    }
}
