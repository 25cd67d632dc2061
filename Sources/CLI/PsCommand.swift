// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct PsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "List the containers.",
        discussion: """
            Containers inside of others are shown as PARENT.CHILD. The list never waits for a container that is stuck.

            Examples:
              gantry ps
              gantry ps --quiet | xargs -r gantry destroy
              gantry ps -o json
            """,
        aliases: ["ls"])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Flag(name: [.short, .long], help: "Print the ids only.")
    var quiet = false

    func run() async throws {
        try await connection.withClient { client in
            let ids = try await client.containers.containers(Gantry.V1.ContainersRequest()).containerIDs
            if quiet {
                let names = ids.map { ContainerName($0).description }
                try format.print(
                    table: names.map { $0 + "\n" }.joined(), json: JSONText.array(names.map(JSONText.string)))
                return
            }
            let records = try await client.records(of: ids)
            try format.print(table: PsCommand.table(records), json: JSONText.array(records.map { try $0.json() }))
        }
    }

    /// `width`: of the terminal's line that the command may fill; nil shows it whole.
    static func table(
        _ records: [Gantry.V1.ContainerRecord], now: Int64 = unixNanosecondsNow(),
        width: Int? = Output.standard.isTerminal ? 48 : nil
    ) -> String {
        var table = Table([
            .init("ID"), .init("STATE"), .init("PID", .right), .init("IMAGE"), .init("COMMAND"), .init("AGE", .right),
        ])
        for record in records {
            let command = singleLine(record.command)
            table.add([
                record.name, record.state, record.pid == 0 ? "" : String(record.pid), record.image,
                width.map { shortened(command, to: $0) } ?? command, ageText(since: record.startedUnixNano, now: now),
            ])
        }
        return table.rendered()
    }
}

extension GantryClient {
    /// The records of those containers that still exist, in the given order.
    func records(of ids: [Mesos.ContainerID]) async throws -> [Gantry.V1.ContainerRecord] {
        let system = try await system
        return try await withThrowingTaskGroup(of: (Int, Gantry.V1.ContainerRecord?).self) { group in
            var records = [Gantry.V1.ContainerRecord?](repeating: nil, count: ids.count)
            for (index, id) in ids.enumerated() {
                // The server takes a bounded number of calls at once.
                if index >= 64, let (finished, record) = try await group.next() { records[finished] = record }
                group.addTask { (index, try await system.record(of: id)) }
            }
            for try await (index, record) in group { records[index] = record }
            return records.compactMap { $0 }
        }
    }
}

extension SystemClient {
    /// nil: the container is gone.
    func record(of id: Mesos.ContainerID) async throws -> Gantry.V1.ContainerRecord? {
        do {
            return try await inspect(Gantry.V1.InspectRequest(containerID: id)).container
        } catch {
            let error = ClientError(error)
            if error.kind == .notFound { return nil }
            throw error
        }
    }
}
