// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show all that is known of a container.",
        discussion: """
            JSON shows everything, with the configuration and what the container was started with.

            Examples:
              gantry inspect web
              gantry inspect -o json web
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "The container's id.")
    var id: ContainerName

    func run() async throws {
        try await connection.withClient { client in
            guard let record = try await client.system.record(of: id.id) else { throw Failure.noContainer(id) }
            try format.print(table: InspectCommand.text(record), json: try record.json(.indented))
        }
    }

    static func text(_ record: Gantry.V1.ContainerRecord, now: Int64 = unixNanosecondsNow()) -> String {
        var fields = Fields()
        fields.add("id", record.name)
        let age = ageText(since: record.stateSinceUnixNano, now: now)
        fields.add("state", record.state + (age.isEmpty ? "" : " for \(age)"))
        fields.add("step", record.step)
        fields.add("pid", record.pid == 0 ? "" : String(record.pid))
        fields.add("image", record.image)
        fields.add("command", record.command)
        fields.add("user", record.config?.user ?? "")
        fields.add("hostname", record.config?.containerInfo?.hostname ?? "")
        for (name, limit) in (record.config?.limits ?? [:]).sorted(by: { $0.key < $1.key }) {
            fields.add("limit \(name)", limitText(name, limit.value))
        }
        fields.add("sandbox", record.sandbox)
        fields.add("rootfs", record.rootfs)
        if let termination = record.termination { fields.add("end", termination.text) }
        return fields.rendered() + (record.steps.isEmpty ? "" : "\n" + steps(record.steps))
    }

    private static func limitText(_ name: String, _ value: Double) -> String {
        switch name {
        case "mem", "disk": UInt64(exactly: (value * 1_048_576).rounded()).map(byteText) ?? "\(value) MB"
        case "pids": fixed(value, 0)
        default: fixed(value, 2)
        }
    }

    private static func steps(_ steps: [Gantry.V1.StepRecord]) -> String {
        var table = Table([.init("PIPELINE"), .init("STEP"), .init("TIME", .right), .init("RESULT")])
        for step in steps {
            let result = step.error.map { $0.code.isEmpty ? "failed" : $0.code } ?? "ok"
            table.add([step.pipeline, step.step, durationText(nanoseconds: step.durationNano), result])
        }
        return table.rendered()
    }
}
