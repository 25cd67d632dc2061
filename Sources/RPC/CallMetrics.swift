// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// How often each method was called, with what outcome, and how long that took. From any thread.
///
/// Methods are those of the server's router, so the memory is bounded; calls of unknown methods reach no interceptor.
public final class CallMetrics: Sendable {
    /// Upper bounds of the histogram, in seconds.
    private static let bounds: [(text: String, nanoseconds: Int64)] = [
        ("0.0001", 100_000), ("0.001", 1_000_000), ("0.01", 10_000_000), ("0.1", 100_000_000), ("1", 1_000_000_000),
        ("10", 10_000_000_000),
    ]

    private struct Method {
        var running = 0
        var outcomes: [Int32: UInt64] = [:]
        /// Calls that took at most the bound with the same index, and no lower one; the last are those above all.
        var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
        var nanoseconds: UInt64 = 0
    }

    private struct Name: Hashable {
        var service: String
        var method: String
    }

    private let methods = Mutex<[Name: Method]>([:])

    public init() {}

    func began(_ context: CallContext) {
        methods.withLock { $0[Name(service: context.service, method: context.method), default: Method()].running += 1 }
    }

    func ended(_ context: CallContext, _ code: StatusCode) {
        let elapsed = context.started.map { $0.duration(to: .now).boundedNanoseconds } ?? 0
        let bucket = Self.bounds.firstIndex { elapsed <= $0.nanoseconds } ?? Self.bounds.count
        let name = Name(service: context.service, method: context.method)
        methods.withLock { methods in
            methods[name, default: Method()].running -= 1
            methods[name]?.outcomes[code.rawValue, default: 0] += 1
            methods[name]?.buckets[bucket] += 1
            methods[name]?.nanoseconds &+= UInt64(elapsed)
        }
    }

    /// In the text format of Prometheus, sorted by method.
    public var text: String {
        let all = methods.withLock { $0 }.sorted { ($0.key.service, $0.key.method) < ($1.key.service, $1.key.method) }
        var (running, calls, times) = ("", "", "")
        for (name, method) in all {
            let labels = "service=\"\(name.service)\",method=\"\(name.method)\""
            running += "gantry_rpc_running{\(labels)} \(method.running)\n"
            for (code, count) in method.outcomes.sorted(by: { $0.key < $1.key }) {
                calls += "gantry_rpc_calls_total{\(labels),code=\"\(StatusCode(rawValue: code))\"} \(count)\n"
            }
            var total: UInt64 = 0
            for (index, count) in method.buckets.enumerated() {
                total += count
                let bound = Self.bounds.indices.contains(index) ? Self.bounds[index].text : "+Inf"
                times += "gantry_rpc_seconds_bucket{\(labels),le=\"\(bound)\"} \(total)\n"
            }
            times += "gantry_rpc_seconds_sum{\(labels)} \(Double(method.nanoseconds) / 1e9)\n"
            times += "gantry_rpc_seconds_count{\(labels)} \(total)\n"
        }
        return """
            # TYPE gantry_rpc_running gauge
            \(running)# TYPE gantry_rpc_calls_total counter
            \(calls)# TYPE gantry_rpc_seconds histogram
            \(times)
            """
    }
}

extension Interceptor {
    /// Counts and times every call.
    public static func metrics(_ metrics: CallMetrics) -> Interceptor {
        var interceptor = Interceptor {
            metrics.began($0)
        } after: { context, error in
            metrics.ended(context, error.map { RPCError(describing: $0).code } ?? .ok)
            return nil
        }
        interceptor.needsTime = true
        return interceptor
    }

    /// Makes statuses of errors that do not know theirs. nil leaves an error as it is.
    public static func errors(_ status: @escaping @Sendable (any Error) -> RPCError?) -> Interceptor {
        Interceptor(after: { _, error in error.flatMap(status) })
    }
}

extension Duration {
    /// At least 0; as many as there can be instead of more.
    fileprivate var boundedNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : max(0, whole + attoseconds / 1_000_000_000)
    }
}
