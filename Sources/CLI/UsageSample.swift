// SPDX-License-Identifier: Apache-2.0
internal import Wire

/// What one container used at one moment, and the moment before that its processor time is compared with.
struct UsageSample {
    var name: ContainerName
    var statistics: Mesos.ResourceStatistics
    /// The sample before this one.
    var before: Mesos.ResourceStatistics?
    /// If there was none: when the container started, in seconds of Unix time; 0 if that is not known.
    var started: Double = 0

    /// Percent of one processor; nil if there is nothing to compare with.
    var processorPercent: Double? {
        let (since, used) = before.map { ($0.timestamp, $0.processorSeconds) } ?? (started, 0)
        let elapsed = statistics.timestamp - since
        if since <= 0 || elapsed <= 0 { return nil }
        return max(statistics.processorSeconds - used, 0) / elapsed * 100
    }

    /// `header`: with the titles, unless this goes on below an earlier table.
    static func table(_ samples: [UsageSample], header: Bool = true) -> String {
        var table = Table([
            .init("ID"), .init("CPU TIME", .right), .init("CPU%", .right), .init("CPU LIMIT", .right),
            .init("MEMORY", .right), .init("MEMORY LIMIT", .right), .init("PROCESSES", .right),
        ])
        for sample in samples {
            let statistics = sample.statistics
            table.add([
                sample.name.description, fixed(statistics.processorSeconds, 2) + "s",
                sample.processorPercent.map { fixed($0, 1) } ?? "", statistics.cpusLimit.map { fixed($0, 2) } ?? "",
                (statistics.memTotalBytes ?? statistics.memRssBytes).map(byteText) ?? "",
                statistics.memLimitBytes.map(byteText) ?? "", statistics.processes.map { String($0) } ?? "",
            ])
        }
        let text = table.rendered()
        return header ? text : String(text.drop { $0 != "\n" }.dropFirst())
    }

    func json() throws -> String {
        JSONText.object([("container_id", try name.id.json()), ("statistics", try statistics.json())])
    }
}

extension Mesos.ResourceStatistics {
    /// Processor time used so far, in user and kernel mode.
    var processorSeconds: Double { (cpusUserTimeSecs ?? 0) + (cpusSystemTimeSecs ?? 0) }
}
