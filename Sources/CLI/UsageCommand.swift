// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Show what containers use.",
        discussion: """
            CPU% is of one processor: since the container's start, or with --watch since the line before.

            Examples:
              gantry usage web
              gantry usage --watch web worker
              gantry usage -o json web
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Flag(name: [.short, .long], help: "Print again every second, until interrupted or until all have ended.")
    var watch = false

    @Argument(help: "The containers' ids.")
    var id: [ContainerName]

    func run() async throws {
        try await connection.withClient { client in
            if watch { return try await follow(client) }
            var samples: [UsageSample] = []
            let code = try await forEach(id) { name in
                let request = Gantry.V1.UsageRequest(containerID: name.id)
                let statistics = try await client.containers.usage(request).statistics
                guard let statistics else { throw Failure.noContainer(name) }
                let started = try await client.system.record(of: name.id)?.startedUnixNano ?? 0
                samples.append(UsageSample(name: name, statistics: statistics, started: Double(started) / 1e9))
            }
            try show(samples, header: true)
            try leave(with: code)
        }
    }

    /// One table after another, the titles only once.
    private func follow(_ client: GantryClient) async throws {
        var earlier: [String: Mesos.ResourceStatistics] = [:]
        var names = id
        var isFirst = true
        while true {
            var samples: [UsageSample] = []
            for name in names {
                guard let statistics = try await client.statistics(of: name.id) else {
                    if isFirst { throw Failure.noContainer(name) }
                    continue
                }
                samples.append(UsageSample(name: name, statistics: statistics, before: earlier[name.description]))
                earlier[name.description] = statistics
            }
            if samples.isEmpty { return }
            names = samples.map(\.name)
            try show(samples, header: isFirst)
            isFirst = false
            try await client.pause(for: .seconds(1))
        }
    }

    private func show(_ samples: [UsageSample], header: Bool) throws {
        if samples.isEmpty { return }
        try format.print(
            table: UsageSample.table(samples, header: header), json: JSONText.array(samples.map { try $0.json() }))
    }
}

extension GantryClient {
    /// nil: there is no such container (any more).
    fileprivate func statistics(of id: Mesos.ContainerID) async throws -> Mesos.ResourceStatistics? {
        do {
            return try await containers.usage(Gantry.V1.UsageRequest(containerID: id)).statistics
        } catch {
            let error = ClientError(error)
            if error.kind == .notFound { return nil }
            throw error
        }
    }
}
