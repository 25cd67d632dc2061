// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Import, list and remove images.",
        discussion: """
            Examples:
              gantry image import ./debian.tar debian:12
              gantry image ls
            """,
        subcommands: [
            ImageImportCommand.self, ImageListCommand.self, ImageInspectCommand.self, ImageRemoveCommand.self,
        ])
}
