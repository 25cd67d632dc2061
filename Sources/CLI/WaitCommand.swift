// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait for a container's end, and exit as it did.",
        discussion: """
            A container that has ended is forgotten, except for one inside of another: begin to wait while it runs.

            Examples:
              gantry wait web
              gantry wait -o json web
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "The container's id.")
    var id: ContainerName

    func run() async throws {
        let termination = try await connection.withClient { client in
            try await client.containers.wait(Gantry.V1.WaitRequest(containerID: id.id)).termination
        }
        guard let termination else { throw Failure.noContainer(id) }
        try format.print(table: "\(id) \(termination.text)\n", json: try termination.json())
        if let failure = termination.failure(of: id) { Output.standardError.report(failure) }
        try leave(with: termination.exitCode)
    }
}
