// SPDX-License-Identifier: Apache-2.0

import Glibc
public import Wire

/// Wall-clock time in nanoseconds since 1970-01-01 UTC (clock_gettime(2), CLOCK_REALTIME).
public struct WallTime: Sendable, Hashable {
    public var nanoseconds: Int64

    public static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// What was done for a container, step by step, with times and the first error of each: `inspect` and error messages
/// are made from it. Bounded, because a destroy can be tried for ever.
struct StepLog {
    enum Pipeline: String, Sendable { case launch, destroy }

    private(set) var records: [Gantry.V1.StepRecord] = []
    private static let limit = 128

    /// The step under way.
    private(set) var current = ""

    mutating func begin(_ pipeline: Pipeline, _ step: String) {
        current = step
        if records.count == Self.limit { records.removeFirst(Self.limit / 2) }
        records.append(
            Gantry.V1.StepRecord(
                pipeline: pipeline.rawValue, step: step, startedUnixNano: WallTime.now.nanoseconds))
    }

    /// What took how long, for a log line: "fork 930us, isolate 41us".
    var summary: String {
        records.map { "\($0.step) \($0.durationNano / 1000)us" }.joined(separator: ", ")
    }

    /// Ends the latest step of that name.
    mutating func end(_ step: String, _ error: ContainerError?) {
        guard let index = records.lastIndex(where: { $0.step == step }) else { return }
        records[index].durationNano = WallTime.now.nanoseconds - records[index].startedUnixNano
        records[index].error = error?.info
        if current == step { current = "" }
    }
}

extension ContainerError {
    /// The error as it goes over the wire.
    public var info: Gantry.V1.ErrorInfo {
        Gantry.V1.ErrorInfo(code: code, step: step, subject: subject, errno: errno, hint: hint)
    }
}
