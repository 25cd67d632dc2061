// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import RPC
import Services
import Wire

/// The methods of gantry.v1.System that answer about the daemon itself.
struct SystemHandlers: SystemService {
    let containerizer: Containerizer
    let readiness: Readiness
    /// The isolators in use, by name.
    let features: [String]

    func version(_ request: Gantry.V1.VersionRequest, context: CallContext) -> Gantry.V1.VersionResponse {
        .init(version: GantryVersion.current, api: "gantry.v1", kernel: Self.kernel, features: features)
    }

    func health(_ request: Gantry.V1.HealthRequest, context: CallContext) -> Gantry.V1.HealthResponse {
        let ready = readiness.isReady
        return .init(live: true, ready: ready, detail: ready ? "" : "recovering")
    }

    func inspect(_ request: Gantry.V1.InspectRequest, context: CallContext) async throws -> Gantry.V1.InspectResponse {
        .init(container: try await containerizer.inspect(request.containerID.checked()))
    }

    func plan(_ request: Gantry.V1.PlanRequest, context: CallContext) async throws -> Gantry.V1.PlanResponse {
        let id = try request.containerID.checked()
        guard let config = request.containerConfig else {
            throw ContainerError(
                .invalidArgument, code: "launch.no-config", "the request has no container_config",
                step: "checking the request", subject: id.text, hint: "set container_config")
        }
        return try await containerizer.plan(id, config, environment: request.environment)
    }

    /// The kernel's release, as `uname -r` prints it.
    private static let kernel: String = {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }()
}

public enum GantryVersion {
    public static let current = "0.1.0"
}
