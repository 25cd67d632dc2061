// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct KillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Send a signal to a container's command.",
        discussion: """
            The signal goes to the first process only; 'gantry destroy' ends a container with everything in it.

            Examples:
              gantry kill web
              gantry kill --signal TERM web
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(name: [.short, .long], help: "The signal's name or number.")
    var signal = SignalName(number: 9)

    @Argument(help: "The containers' ids.")
    var id: [ContainerName]

    func run() async throws {
        let code = try await connection.withClient { client in
            try await forEach(id) { name in
                let request = Gantry.V1.KillRequest(containerID: name.id, signal: signal.number)
                if try await !client.containers.kill(request).found { throw Failure.noContainer(name) }
            }
        }
        try leave(with: code)
    }
}
