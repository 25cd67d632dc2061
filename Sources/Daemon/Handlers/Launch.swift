// SPDX-License-Identifier: Apache-2.0

import Core
import RPC
import Wire

extension ContainerizerHandlers {
    /// A launch that fails, or whose caller goes away, is destroyed here: the core leaves its remains in the table
    /// (containerizer.md 2.3.6). The caller gets the error when nothing is left.
    func launch(_ request: Gantry.V1.LaunchRequest, context: CallContext) async throws -> Gantry.V1.LaunchResponse {
        let id = try request.containerID.checked()
        guard let config = request.containerConfig else {
            throw ContainerError(
                .invalidArgument, code: "launch.no-config", "the request has no container_config",
                step: "checking the request", subject: id.text, hint: "set container_config")
        }
        do {
            let path = request.pidCheckpointPath
            let result = try await containerizer.launch(
                id, config, environment: request.environment, pidCheckpointPath: path.isEmpty ? nil : path)
            return .init(result: result)
        } catch {
            _ = try? await containerizer.destroy(id)
            throw error
        }
    }
}
