// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Wire

struct WireTypesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "types",
        abstract: "List the messages that gantry knows.",
        discussion: """
            Examples:
              gantry wire types
            """)

    @OptionGroup var format: OutputOptions

    func run() throws {
        let names = MessageRegistry.names
        try format.print(
            table: names.map { $0 + "\n" }.joined(), json: JSONText.array(names.map(JSONText.string)))
    }
}
