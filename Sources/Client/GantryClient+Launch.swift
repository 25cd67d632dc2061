// SPDX-License-Identifier: Apache-2.0
internal import Reactor
public import Services
public import Wire

/// A container that was launched by `GantryClient.launch`, and the wait for its end.
public struct LaunchedContainer: Sendable {
    public typealias Output = Responses<Mesos.Agent.ProcessIO>

    public let id: Mesos.ContainerID
    public let result: Gantry.V1.LaunchResult
    /// What the container writes, from its beginning, if the launch asked for it and has succeeded. Throws RPCError.
    public let output: Output?
    private let end: Task<Mesos.Slave.ContainerTermination?, any Error>

    init(
        id: Mesos.ContainerID, result: Gantry.V1.LaunchResult, output: Output?,
        end: Task<Mesos.Slave.ContainerTermination?, any Error>
    ) {
        self.id = id
        self.result = result
        self.output = output
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
    /// Launches a container and begins to wait for its end and, with `attaching`, to read its output.
    ///
    /// The requests leave together and in this order. A wait or an attach that followed the answer could come too late:
    /// a short command may have ended by then, and the daemon forgets a top-level container once it has told those who
    /// wait. Throws ClientError; the daemon has then destroyed what there was of the container. A result other than
    /// SUCCESS has neither an end nor output.
    public func launch(
        _ request: Gantry.V1.LaunchRequest, attaching: Bool = false
    ) async throws -> LaunchedContainer {
        let id = request.containerID ?? Mesos.ContainerID(value: "")
        let containers = try await containers
        let reactor = try reactor()
        // Begun on the reactor's thread, in one turn of its loop: begun from here, the second request could leave much
        // later than the first.
        let (launch, end, output) = try await reactor.task {
            let launch = reactor.task { try await containers.launch(request) }
            let end = reactor.task { () async throws -> Mesos.Slave.ContainerTermination? in
                let question = Gantry.V1.WaitRequest(containerID: id)
                if let termination = try await containers.wait(question).termination { return termination }
                // The daemon may have looked for the container before the launch had entered it.
                _ = try await launch.value
                return try await containers.wait(question).termination
            }
            return (launch, end, attaching ? reactor.task { try await containers.output(of: id) } : nil)
        }.value
        do {
            let response = try await launch.value
            if response.result == .success {
                return LaunchedContainer(id: id, result: .success, output: try await output?.value, end: end)
            }
            end.cancel()
            (try? await output?.value)?.cancel()
            return LaunchedContainer(id: id, result: response.result, output: nil, end: end)
        } catch {
            end.cancel()
            output?.cancel()
            throw ClientError(error)
        }
    }
}

extension ContainerizerClient {
    /// What a container has written and will write to standard output and standard error, until it ends.
    public func output(of id: Mesos.ContainerID) async throws -> Responses<Mesos.Agent.ProcessIO> {
        let exchange = try await attach()
        let start = Gantry.V1.AttachStart(containerID: id, stdout: true, stderr: true, replay: true)
        try await exchange.send(Gantry.V1.AttachRequest(kind: .start(start)))
        exchange.closeSend()
        return exchange.responses
    }
}
