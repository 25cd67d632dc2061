// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct ImageListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the images in the store.",
        discussion: """
            Examples:
              gantry image ls
              gantry image ls -o json
            """,
        aliases: ["list"])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    func run() async throws {
        let images = try await connection.withClient { client in
            try await client.images.list(Gantry.V1.ListImagesRequest()).images
        }
        try format.print(table: ImageListCommand.table(images), json: JSONText.array(images.map { try $0.json() }))
    }

    static func table(_ images: [Gantry.V1.ImageRecord], now: Int64 = unixNanosecondsNow()) -> String {
        var table = Table([
            .init("NAME"), .init("DIGEST"), .init("SIZE", .right), .init("LAYERS", .right), .init("AGE", .right),
        ])
        for image in images {
            table.add([
                image.reference, shortDigest(image.manifestDigest), byteText(image.sizeBytes),
                String(image.layers.count), ageText(since: image.createdUnixNano, now: now),
            ])
        }
        return table.rendered()
    }
}
