// SPDX-License-Identifier: Apache-2.0

import Core
import RPC
import Wire

/// The methods of the API that this version does not have. Each answers UNIMPLEMENTED.
private func unimplemented(_ method: String) -> RPCError {
    RPCError(.unimplemented, "\(method) is not in this version of gantryd")
}

extension ContainerizerHandlers {
    func recover(_ request: Gantry.V1.RecoverRequest, context: CallContext) async throws -> Gantry.V1.RecoverResponse {
        throw unimplemented("Recover")
    }

    func pruneImages(
        _ request: Gantry.V1.PruneImagesRequest, context: CallContext
    ) async throws -> Gantry.V1.PruneImagesResponse {
        throw unimplemented("PruneImages")
    }
}

extension ImageHandlers {
    func pull(
        _ request: Gantry.V1.PullRequest, responses: ResponseStream<Gantry.V1.PullProgress>, context: CallContext
    ) async throws {
        throw unimplemented("Pull")
    }
}

extension SystemHandlers {
    func events(
        _ request: Gantry.V1.EventsRequest, responses: ResponseStream<Gantry.V1.Event>, context: CallContext
    ) async throws {
        throw unimplemented("Events")
    }

    func pending(_ request: Gantry.V1.PendingRequest, context: CallContext) async throws -> Gantry.V1.PendingResponse {
        throw unimplemented("Pending")
    }

    func metrics(_ request: Gantry.V1.MetricsRequest, context: CallContext) async throws -> Gantry.V1.MetricsResponse {
        throw unimplemented("Metrics")
    }

    func setLogLevel(
        _ request: Gantry.V1.SetLogLevelRequest, context: CallContext
    ) async throws -> Gantry.V1.SetLogLevelResponse {
        throw unimplemented("SetLogLevel")
    }
}
