// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Ask whether the daemon is ready, or wait until it is.",
        discussion: """
            Exit codes: 0 ready; 69 the daemon cannot be reached; 75 it is not ready yet.

            Examples:
              gantry health
              gantry health --wait 10 && gantry ps
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Option(help: ArgumentHelp("Wait at most this long.", valueName: "seconds"))
    var wait: Double = 0

    func validate() throws {
        if !(0...86400).contains(wait) { throw ValidationError("--wait takes 0 to 86400 seconds") }
    }

    func run() async throws {
        let health = try await connection.withClient { client in
            if wait > 0 { return try await client.waitUntilReady(within: .seconds(wait)) }
            return try await client.system.health(Gantry.V1.HealthRequest())
        }
        let detail = health.detail.isEmpty ? "" : ": " + singleLine(health.detail)
        let text = health.ready ? "ready" : health.live ? "not ready" : "not live"
        try format.print(table: text + detail + "\n", json: try health.json())
        if !health.ready { throw ExitCode(ExitStatus.tryAgain) }
    }
}
