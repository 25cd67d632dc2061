// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget ended containers that were inside of others.",
        discussion: """
            How such a container ended can be asked with 'gantry wait', and its files stay, until it is removed or the \
            container around it ends. A container of its own leaves nothing to remove.

            Examples:
              gantry remove web.check
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The containers' ids, as PARENT.CHILD.")
    var id: [ContainerName]

    func run() async throws {
        let code = try await connection.withClient { client in
            try await forEach(id) { name in
                _ = try await client.containers.remove(Gantry.V1.RemoveRequest(containerID: name.id))
            }
        }
        try leave(with: code)
    }
}
