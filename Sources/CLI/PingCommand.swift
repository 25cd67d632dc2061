// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Glibc
internal import Services
internal import Wire

struct PingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Measure how long the daemon takes to answer.",
        discussion: """
            Calls gantry.v1.System/Health again and again on one connection, and prints percentiles of the times.

            Examples:
              gantry ping
              gantry ping --count 10000 --parallel 8 -o json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Option(name: [.short, .long], help: "How many calls to make.")
    var count = 1_000

    @Option(name: [.short, .long], help: "How many of them may be under way at once.")
    var parallel = 1

    func validate() throws {
        if !(1...10_000_000).contains(count) { throw ValidationError("--count takes 1 to 10000000") }
        if !(1...1_024).contains(parallel) { throw ValidationError("--parallel takes 1 to 1024") }
    }

    func run() async throws {
        let result = try await connection.withClient { client in
            let system = try await client.system
            _ = try await system.health(Gantry.V1.HealthRequest())
            return try await client.onItsThread { try await measure(system) }
        }
        try format.print(table: result.text, json: result.json)
    }

    private func measure(_ system: SystemClient) async throws -> PingResult {
        let start = monotonicNanoseconds()
        let (count, parallel) = (count, parallel)
        let times = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for index in 0..<parallel {
                let share = count / parallel + (index < count % parallel ? 1 : 0)
                group.addTask {
                    var times: [Int64] = []
                    for _ in 0..<share {
                        let begin = monotonicNanoseconds()
                        _ = try await system.health(Gantry.V1.HealthRequest())
                        times.append(monotonicNanoseconds() - begin)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return PingResult(times: times, elapsed: monotonicNanoseconds() - start)
    }
}

/// What the calls took, in nanoseconds.
struct PingResult {
    /// Ascending.
    let times: [Int64]
    let elapsed: Int64

    init(times: [Int64], elapsed: Int64) {
        self.times = times.sorted()
        self.elapsed = elapsed
    }

    /// The smallest time that is not exceeded by so many per mille of the calls.
    func percentile(_ perMille: Int) -> Int64 {
        guard !times.isEmpty else { return 0 }
        return times[max(0, (times.count * perMille + 999) / 1_000 - 1)]
    }

    private static let percentiles = [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999)]

    private var callsPerSecond: Double { elapsed > 0 ? Double(times.count) * 1e9 / Double(elapsed) : 0 }

    var text: String {
        var fields = Fields()
        fields.add("calls", "\(times.count) in \(durationText(nanoseconds: elapsed))")
        fields.add("rate", "\(fixed(callsPerSecond, 0)) calls/s")
        fields.add("min", durationText(nanoseconds: times.first ?? 0))
        for (name, perMille) in Self.percentiles {
            fields.add(name, durationText(nanoseconds: percentile(perMille)))
        }
        fields.add("max", durationText(nanoseconds: times.last ?? 0))
        return fields.rendered()
    }

    /// Times in nanoseconds.
    var json: String {
        let times =
            [("min", times.first ?? 0)] + Self.percentiles.map { ($0.0, percentile($0.1)) }
            + [("max", times.last ?? 0)]
        return JSONText.object(
            [("calls", "\(self.times.count)"), ("elapsed", "\(elapsed)"), ("rate", fixed(callsPerSecond, 1))]
                + times.map { ($0.0, "\($0.1)") })
    }
}

/// Of a clock that nobody sets.
private func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
