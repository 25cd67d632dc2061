// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Wire

struct WireDecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Print the message on standard input as JSON.",
        discussion: """
            Exit code 65 if the bytes are no such message; the error tells at which of them.

            Examples:
              gantry wire decode --type mesos.ContainerID <id.bin
            """)

    @OptionGroup var type: MessageTypeOptions

    func run() throws {
        let message = try type.message()
        let json: String
        do {
            json = try message.json(.indented)
        } catch {
            throw Failure(refused: error)
        }
        try Output.standard.line(json)
    }
}
