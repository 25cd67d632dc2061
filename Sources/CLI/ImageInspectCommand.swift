// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct ImageInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show an image with its manifest and configuration.",
        discussion: """
            Examples:
              gantry image inspect debian:12
              gantry image inspect -o json debian:12
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: ArgumentHelp("The image's name.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        let response = try await connection.withClient { client in
            try await client.images.inspect(Gantry.V1.InspectImageRequest(reference: name))
        }
        try format.print(table: ImageInspectCommand.text(response), json: try response.json(.indented))
    }

    static func text(_ response: Gantry.V1.InspectImageResponse) -> String {
        var fields = Fields()
        if let image = response.image {
            fields.add("name", image.reference)
            fields.add("digest", image.manifestDigest)
            fields.add("size", byteText(image.sizeBytes))
            fields.add("created", timeText(unixNanoseconds: image.createdUnixNano))
            for (index, layer) in image.layers.enumerated() { fields.add("layer \(index + 1)", layer) }
        }
        fields.add("manifest", response.manifestJSON)
        fields.add("configuration", response.configJSON)
        return fields.rendered()
    }
}
