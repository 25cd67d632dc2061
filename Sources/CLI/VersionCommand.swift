// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this program and of the daemon.",
        discussion: """
            Succeeds without a daemon, too.

            Examples:
              gantry version
              gantry version -o json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    func run() async throws {
        try await connection.withClient { client in
            let daemon: Result<Gantry.V1.VersionResponse, ClientError>
            do {
                daemon = .success(try await client.system.version(Gantry.V1.VersionRequest()))
            } catch {
                daemon = .failure(ClientError(error))
            }
            try format.print(table: VersionCommand.text(daemon), json: try VersionCommand.json(daemon))
        }
    }

    static func text(_ daemon: Result<Gantry.V1.VersionResponse, ClientError>) -> String {
        var fields = Fields()
        fields.add("gantry", clientVersion)
        switch daemon {
        case .success(let answer):
            fields.add("gantryd", answer.version)
            fields.add("api", answer.api)
            fields.add("kernel", answer.kernel)
            fields.add("features", answer.features.joined(separator: " "))
        case .failure(let error):
            fields.add("gantryd", error.message)
        }
        return fields.rendered()
    }

    static func json(_ daemon: Result<Gantry.V1.VersionResponse, ClientError>) throws -> String {
        let client = JSONText.object([("version", JSONText.string(clientVersion))])
        switch daemon {
        case .success(let answer): return JSONText.object([("client", client), ("daemon", try answer.json())])
        case .failure: return JSONText.object([("client", client), ("daemon", "null")])
        }
    }
}
