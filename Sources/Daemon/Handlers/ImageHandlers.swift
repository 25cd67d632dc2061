// SPDX-License-Identifier: Apache-2.0

import Images
import RPC
import Services
import Wire

/// The methods of gantry.v1.Images on the store.
struct ImageHandlers: ImagesService {
    let store: ImageStore

    /// Sends what the import is doing, then the image. A caller that goes away ends the import.
    func `import`(
        _ request: Gantry.V1.ImportRequest, responses: ResponseStream<Gantry.V1.PullProgress>, context: CallContext
    ) async throws {
        // The import thread must not wait for the caller: of the steps that a slow one has not taken, the latest stays.
        let (steps, continuation) = AsyncStream.makeStream(
            of: ImportProgress.self, bufferingPolicy: .bufferingNewest(1))
        async let imported = importImage(request, steps: continuation)
        for await step in steps {
            try await responses.send(
                .init(step: step.step.rawValue, doneBytes: step.doneBytes, totalBytes: step.totalBytes))
        }
        let record = try await imported
        try await responses.send(
            .init(
                step: "done",
                image: Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: record.reference)),
                manifestDigest: record.manifestDigest))
    }

    private func importImage(
        _ request: Gantry.V1.ImportRequest, steps: AsyncStream<ImportProgress>.Continuation
    ) async throws -> Gantry.V1.ImageRecord {
        defer { steps.finish() }
        return try await store.importImage(path: request.path, reference: request.reference) { steps.yield($0) }
    }

    func list(
        _ request: Gantry.V1.ListImagesRequest, context: CallContext
    ) async throws -> Gantry.V1.ListImagesResponse {
        .init(images: store.list())
    }

    func inspect(
        _ request: Gantry.V1.InspectImageRequest, context: CallContext
    ) async throws -> Gantry.V1.InspectImageResponse {
        try await store.inspect(request.reference)
    }

    func remove(
        _ request: Gantry.V1.RemoveImageRequest, context: CallContext
    ) async throws -> Gantry.V1.RemoveImageResponse {
        .init(freedBytes: try await store.remove(request.reference, force: request.force))
    }
}
