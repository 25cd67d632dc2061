// SPDX-License-Identifier: Apache-2.0
internal import Reactor
internal import Synchronization

/// What a server has done and what it holds: calls by method and outcome with their times, connections, streams, bytes.
/// Give it to the server when that is made, and read `snapshot` from any thread.
///
/// Methods are those of the server's router, so the memory is bounded; calls of unknown methods count as refusals.
public final class ServerMetrics: Sendable {
    private struct State {
        var methods: [MethodMetrics] = []
        /// The place in `methods` of the router's method with the same index; -1: it has not been called.
        var places: [Int] = []
    }

    private let state = Locked(State())

    // Written on the reactor's thread.
    let connections = Atomic<Int>(0)
    let streams = Atomic<Int>(0)
    let heldBytes = Atomic<Int>(0)
    let accepted = Atomic<UInt64>(0)
    let turnedAway = Atomic<UInt64>(0)
    let refusals = Atomic<UInt64>(0)

    public init() {}

    /// All of it, the methods sorted by name. A call that is running shows in `running` alone.
    public var snapshot: ServerSnapshot {
        let methods = state.withLock { $0.methods }
        return ServerSnapshot(
            methods: methods.sorted { ($0.service, $0.method) < ($1.service, $1.method) },
            connections: connections.load(ordering: .relaxed), streams: streams.load(ordering: .relaxed),
            heldBytes: heldBytes.load(ordering: .relaxed),
            acceptedConnections: accepted.load(ordering: .relaxed),
            refusedConnections: turnedAway.load(ordering: .relaxed), refusals: refusals.load(ordering: .relaxed))
    }

    func began(_ context: CallContext) {
        state.withLock { state in
            let place = Self.place(of: context, &state)
            state.methods[place].running += 1
        }
    }

    func ended(_ context: CallContext, _ code: StatusCode) {
        let elapsed = context.started.map { $0.duration(to: .now).nanosecondsAtMost } ?? 0
        state.withLock { state in
            let place = Self.place(of: context, &state)
            state.methods[place].running -= 1
            state.methods[place].outcomes[code, default: 0] += 1
            state.methods[place].times.add(elapsed)
        }
    }

    /// The router's index finds it at once, and a search by name where several servers share these metrics.
    private static func place(of context: CallContext, _ state: inout State) -> Int {
        let index = context.methodIndex
        if state.places.indices.contains(index), state.places[index] >= 0,
            Self.isThere(context, state.methods[state.places[index]])
        {
            return state.places[index]
        }
        let place = state.methods.firstIndex { isThere(context, $0) } ?? state.methods.count
        if place == state.methods.count {
            state.methods.append(MethodMetrics(service: context.service, method: context.method))
        }
        if index >= 0 {
            while state.places.count <= index { state.places.append(-1) }
            state.places[index] = place
        }
        return place
    }

    private static func isThere(_ context: CallContext, _ method: MethodMetrics) -> Bool {
        method.method == context.method && method.service == context.service
    }
}

extension Interceptor {
    /// Counts and times every call. For a server that is not given the metrics themselves.
    public static func metrics(_ metrics: ServerMetrics) -> Interceptor {
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
    fileprivate var nanosecondsAtMost: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : max(0, whole + attoseconds / 1_000_000_000)
    }
}
