// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a container has written.",
        discussion: """
            Standard output goes to standard output and standard error to standard error. Without --follow the two \
            come one after the other, as far as they are kept in the container's sandbox; with it, everything that \
            was and will be written, in order of time, until the container ends.

            Examples:
              gantry logs web
              gantry logs --follow web 2>/dev/null
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(name: [.short, .long], help: "Go on with what the container writes from now on.")
    var follow = false

    @Argument(help: "The container's id.")
    var id: ContainerName

    func run() async throws {
        try await connection.withClient { client in
            if follow {
                try await OutputCopy(containers: client.containers, id: id.id).run { throw ReaderGone() }
                return
            }
            guard let record = try await client.system.record(of: id.id) else { throw Failure.noContainer(id) }
            if record.sandbox.isEmpty { throw Failure("\(id) has no sandbox yet", hint: "try --follow") }
            try copyFile(record.sandbox + "/stdout", to: .standard)
            try copyFile(record.sandbox + "/stderr", to: .standardError)
        }
    }
}
