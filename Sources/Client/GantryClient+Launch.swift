// SPDX-License-Identifier: Apache-2.0
internal import Reactor
internal import Services
public import Wire

/// A container that was launched by `GantryClient.launch`, and the wait for its end.
public struct LaunchedContainer: Sendable {
    public let id: Mesos.ContainerID
    public let result: Gantry.V1.LaunchResult
    private let end: Task<Mesos.Slave.ContainerTermination?, any Error>

    init(
        id: Mesos.ContainerID, result: Gantry.V1.LaunchResult, end: Task<Mesos.Slave.ContainerTermination?, any Error>
    ) {
        self.id = id
        self.result = result
        self.end = end
    }

    /// How the container ended; nil when the daemon no longer knows. Throws ClientError.
    public func termination() async throws -> Mesos.Slave.ContainerTermination? {
        do {
            return try await end.value
        } catch {
            throw ClientError(error)
        }
    }

    /// Stops waiting here. The container goes on.
    public func abandon() {
        end.cancel()
    }
}

extension GantryClient {
    /// Launches a container and begins to wait for its end.
    ///
    /// The two requests leave together and in this order. A wait that followed the answer could come too late: a short
    /// command may have ended by then, and the daemon forgets a top-level container once it has told those who wait.
    /// Throws ClientError; the daemon has then destroyed what there was of the container. A result other than
    /// SUCCESS has no end to wait for.
    public func launch(_ request: Gantry.V1.LaunchRequest) async throws -> LaunchedContainer {
        let id = request.containerID ?? Mesos.ContainerID(value: "")
        let containers = try await containers
        let reactor = try reactor()
        let launch = reactor.task { try await containers.launch(request) }
        let end = reactor.task { () async throws -> Mesos.Slave.ContainerTermination? in
            let question = Gantry.V1.WaitRequest(containerID: id)
            if let termination = try await containers.wait(question).termination { return termination }
            // The daemon may have looked for the container before the launch had entered it.
            _ = try await launch.value
            return try await containers.wait(question).termination
        }
        do {
            let response = try await launch.value
            if response.result != .success { end.cancel() }
            return LaunchedContainer(id: id, result: response.result, end: end)
        } catch {
            end.cancel()
            throw ClientError(error)
        }
    }
}
