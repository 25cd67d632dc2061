// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Wire

struct WireRoundtripCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roundtrip",
        abstract: "Decode the message on standard input and encode it again.",
        discussion: """
            Exit code 65 if the bytes are no such message.

            Examples:
              gantry wire roundtrip --type mesos.ContainerID <id.bin | cmp - id.bin
            """)

    @OptionGroup var type: MessageTypeOptions

    func run() throws {
        let message = try type.message()
        let bytes: [UInt8]
        do {
            bytes = try message.encoded()
        } catch {
            throw Failure(refused: error)
        }
        try Output.standard.write(bytes)
    }
}
