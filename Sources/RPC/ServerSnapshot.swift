// SPDX-License-Identifier: Apache-2.0

/// The metrics of a server at one moment.
public struct ServerSnapshot: Sendable, Hashable {
    /// Those that have been called, sorted by service and method.
    public var methods: [MethodMetrics]
    /// Connections that are open.
    public var connections: Int
    /// Calls that a caller waits for, but for those of immediate handlers, which nobody can see.
    public var streams: Int
    /// Bytes of requests, messages and answers that wait to be read, taken or sent.
    public var heldBytes: Int
    /// Connections since the start.
    public var acceptedConnections: UInt64
    /// Connections since the start that were closed at once, because their user had too many.
    public var refusedConnections: UInt64
    /// Frames and calls that no handler saw: malformed, too large, above a limit, or of unknown methods.
    public var refusals: UInt64
}

/// The calls of one method.
public struct MethodMetrics: Sendable, Hashable {
    /// The full protobuf name: `gantry.v1.Containerizer`.
    public var service: String
    /// The bare name: `Launch`.
    public var method: String
    /// Calls that run now.
    public var running = 0
    /// Calls that have ended, by their status.
    public var outcomes: [StatusCode: UInt64] = [:]
    /// How long the calls took that have ended.
    public var times = Times()

    init(service: String, method: String) {
        self.service = service
        self.method = method
    }

    /// A histogram of durations.
    public struct Times: Sendable, Hashable {
        /// Upper bounds of the buckets, in nanoseconds, from 25 microseconds to 10 seconds.
        public static let bounds: [Int64] = [
            25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
            50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
            10_000_000_000,
        ]

        /// Calls that took at most the bound with the same index and more than the one before; the last are those above
        /// all bounds.
        public private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        /// Their sum.
        public private(set) var nanoseconds: UInt64 = 0

        public var count: UInt64 { counts.reduce(0, +) }

        mutating func add(_ elapsed: Int64) {
            counts[Self.bounds.firstIndex { elapsed <= $0 } ?? Self.bounds.count] += 1
            nanoseconds &+= UInt64(max(0, elapsed))
        }
    }
}

extension ServerSnapshot {
    /// In the text format of Prometheus.
    public var text: String {
        var (running, calls, times) = ("", "", "")
        for method in methods {
            let labels = "service=\"\(method.service)\",method=\"\(method.method)\""
            running += "gantry_rpc_running{\(labels)} \(method.running)\n"
            for (code, count) in method.outcomes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                calls += "gantry_rpc_calls_total{\(labels),code=\"\(code)\"} \(count)\n"
            }
            times += method.times.text(labels)
        }
        return """
            # TYPE gantry_rpc_running gauge
            \(running)# TYPE gantry_rpc_calls_total counter
            \(calls)# TYPE gantry_rpc_seconds histogram
            \(times)# TYPE gantry_rpc_connections gauge
            gantry_rpc_connections \(connections)
            # TYPE gantry_rpc_streams gauge
            gantry_rpc_streams \(streams)
            # TYPE gantry_rpc_held_bytes gauge
            gantry_rpc_held_bytes \(heldBytes)
            # TYPE gantry_rpc_accepted_connections_total counter
            gantry_rpc_accepted_connections_total \(acceptedConnections)
            # TYPE gantry_rpc_refused_connections_total counter
            gantry_rpc_refused_connections_total \(refusedConnections)
            # TYPE gantry_rpc_refusals_total counter
            gantry_rpc_refusals_total \(refusals)

            """
    }
}

extension MethodMetrics.Times {
    fileprivate func text(_ labels: String) -> String {
        var (text, total) = ("", UInt64(0))
        for (index, count) in counts.enumerated() {
            total += count
            let bound = Self.bounds.indices.contains(index) ? "\(Double(Self.bounds[index]) / 1e9)" : "+Inf"
            text += "gantry_rpc_seconds_bucket{\(labels),le=\"\(bound)\"} \(total)\n"
        }
        return text + "gantry_rpc_seconds_sum{\(labels)} \(Double(nanoseconds) / 1e9)\n"
            + "gantry_rpc_seconds_count{\(labels)} \(total)\n"
    }
}
