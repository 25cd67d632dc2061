// SPDX-License-Identifier: Apache-2.0
internal import Services
public import Wire

extension GantryClient {
    /// Returns when the daemon is ready, or its last answer or error when `limit` is over.
    ///
    /// It asks again after growing pauses. Watching the directory of the socket instead would tell when the file is
    /// there, but neither whether its directory will be made, nor when somebody listens, nor when recovery is done.
    public func waitUntilReady(within limit: Duration) async throws -> Gantry.V1.HealthResponse {
        let deadline = ContinuousClock.now + limit
        var pause = Duration.milliseconds(5)
        while true {
            let answer = await health()
            if case .success(let health) = answer, health.ready { return health }
            if case .failure(let error) = answer {
                if error.kind != .notReachable && error.kind != .tryAgain { throw error }
                await disconnect()
            }
            if ContinuousClock.now + pause >= deadline { return try answer.get() }
            try await self.pause(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    private func health() async -> Result<Gantry.V1.HealthResponse, ClientError> {
        do {
            return .success(try await system.health(Gantry.V1.HealthRequest()))
        } catch {
            return .failure(ClientError(error))
        }
    }
}
