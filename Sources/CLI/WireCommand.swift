// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import Wire

struct WireCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wire",
        abstract: "Decode and check messages; needs no daemon.",
        discussion: """
            Examples:
              gantry wire types | grep ContainerConfig
              gantry wire decode --type mesos.ContainerID <id.bin
            """,
        subcommands: [
            WireDecodeCommand.self, WireRoundtripCommand.self, WireBatchCommand.self, WireTypesCommand.self,
        ])
}

/// The message that the bytes on standard input are.
struct MessageTypeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The message's full name, e.g. mesos.slave.ContainerConfig.", valueName: "name"))
    var type: String

    /// Reads standard input to its end and decodes it. Exit code 64: no such type; 65: the bytes are refused.
    func message() throws -> any Message {
        guard let type = MessageRegistry.type(named: type) else {
            throw Failure(
                "unknown type '\(type)'", hint: "'gantry wire types' lists all", exitCode: ExitStatus.usage)
        }
        var bytes: [UInt8] = []
        try readAll(STDIN_FILENO, "standard input") { bytes += $0 }
        do {
            return try type.init(decoding: bytes)
        } catch {
            throw Failure(refused: error)
        }
    }
}

extension Failure {
    init(refused error: WireError) {
        self.init(refusal(error), exitCode: ExitStatus.data)
    }
}

/// `truncated input of mesos.ContainerID: offset 7`
func refusal(_ error: WireError) -> String {
    let description = String(describing: error)
    guard let offset = error.offset else { return description }
    return "\(description): offset \(offset)"
}
