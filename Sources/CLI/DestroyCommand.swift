// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct DestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy",
        abstract: "End containers with everything in them.",
        discussion: """
            Returns when nothing is left: no process, no mount, no cgroup. A destruction that failed can be tried again.

            Examples:
              gantry destroy web
              gantry destroy -o json web worker
            """,
        aliases: ["rm"])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "The containers' ids.")
    var id: [ContainerName]

    func run() async throws {
        let code = try await connection.withClient { client in
            try await forEach(id) { name in
                let request = Gantry.V1.DestroyRequest(containerID: name.id)
                guard let termination = try await client.containers.destroy(request).termination else {
                    throw Failure.noContainer(name)
                }
                try format.print(table: "\(name) \(termination.text)\n", json: try termination.json())
            }
        }
        try leave(with: code)
    }
}
