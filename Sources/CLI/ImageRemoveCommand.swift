// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct ImageRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove an image from the store.",
        discussion: """
            Examples:
              gantry image rm debian:12
              gantry image rm --force debian:12
            """,
        aliases: ["remove"])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Flag(name: [.short, .long], help: "Also if containers use it; they keep their files.")
    var force = false

    @Argument(help: ArgumentHelp("The image's name.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        let response = try await connection.withClient { client in
            try await client.images.remove(Gantry.V1.RemoveImageRequest(reference: name, force: force))
        }
        try format.print(
            table: "removed \(singleLine(name)), \(byteText(response.freedBytes)) freed\n", json: try response.json())
    }
}
