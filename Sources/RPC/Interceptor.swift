// SPDX-License-Identifier: Apache-2.0

/// Runs around every call of a known method, in the order in which the server lists them: the first is the outermost.
///
/// The request has not been decoded to the handler's satisfaction yet: an argument that does not decode is an error of
/// the call as any other, INVALID_ARGUMENT.
public struct Interceptor: Sendable {
    /// It may throw before `next` (the handler then never runs, and the caller gets the error), look at what `next`
    /// throws, and throw something else. It calls `next` at most once and does not let it escape.
    public typealias Around =
        @Sendable (_ context: CallContext, _ next: () async throws -> Void) async throws -> Void

    /// Runs before the handler; what it throws is the call's error, and the handler never runs.
    public typealias Before = @Sendable (_ context: CallContext) throws -> Void

    /// Runs after the handler, unless this interceptor's own `before` refused the call: gets the error, nil for a
    /// success, and returns another one to take its place, or nil to leave it.
    public typealias After = @Sendable (_ context: CallContext, _ error: (any Error)?) -> (any Error)?

    enum Kind: Sendable {
        case around(Around)
        case hooks(Hooks)
    }

    struct Hooks: Sendable {
        var before: Before
        var after: After
    }

    let kind: Kind
    /// Whether contexts have to carry the time of the call's beginning.
    var needsTime = false

    /// One that may suspend. Every call of a server with such a one needs a task, those of synchronous handlers too:
    /// prefer hooks.
    public init(_ around: @escaping Around) {
        kind = .around(around)
    }

    /// Two hooks that run on the reactor's thread and must not block it.
    public init(before: @escaping Before = { _ in }, after: @escaping After = { _, _ in nil }) {
        kind = .hooks(Hooks(before: before, after: after))
    }
}

/// A server's interceptors, put together once.
struct InterceptorChain: Sendable {
    private let interceptors: [Interceptor]
    /// All of them, if none needs a task.
    private let hooks: [Interceptor.Hooks]?

    init(_ interceptors: [Interceptor]) {
        self.interceptors = interceptors
        needsTime = interceptors.contains { $0.needsTime }
        let hooks = interceptors.compactMap { interceptor -> Interceptor.Hooks? in
            if case .hooks(let hooks) = interceptor.kind { return hooks }
            return nil
        }
        self.hooks = hooks.count == interceptors.count ? hooks : nil
    }

    let needsTime: Bool

    /// Whether `run` may be called.
    var isSynchronous: Bool { hooks != nil }

    /// Runs a handler that needs no task. Throws what the caller is to be told.
    func run<R>(_ context: CallContext, _ body: () throws -> R) throws -> R {
        guard let hooks, !hooks.isEmpty else { return try body() }
        return try Self.run(hooks[...], context, body)
    }

    private static func run<R>(
        _ hooks: ArraySlice<Interceptor.Hooks>, _ context: CallContext, _ body: () throws -> R
    ) throws -> R {
        guard let first = hooks.first else { return try body() }
        try first.before(context)
        let result = Result { try run(hooks.dropFirst(), context, body) }
        return try settled(result, first, context)
    }

    /// Runs a handler that may suspend.
    func run(_ context: CallContext, _ body: () async throws -> [UInt8]) async throws -> [UInt8] {
        if interceptors.isEmpty { return try await body() }
        var result: [UInt8]?
        try await Self.run(interceptors[...], context) { result = try await body() }
        guard let result else { throw RPCError(.internal, "an interceptor swallowed the call") }
        return result
    }

    private static func run(
        _ interceptors: ArraySlice<Interceptor>, _ context: CallContext, _ body: () async throws -> Void
    ) async throws {
        guard let first = interceptors.first else { return try await body() }
        switch first.kind {
        case .around(let around):
            try await around(context) { try await run(interceptors.dropFirst(), context, body) }
        case .hooks(let hooks):
            try hooks.before(context)
            var result = Result<Void, any Error>.success(())
            do {
                try await run(interceptors.dropFirst(), context, body)
            } catch {
                result = .failure(error)
            }
            try settled(result, hooks, context)
        }
    }

    private static func settled<R>(
        _ result: Result<R, any Error>, _ hooks: Interceptor.Hooks, _ context: CallContext
    ) throws -> R {
        switch result {
        case .success(let value):
            if let error = hooks.after(context, nil) { throw error }
            return value
        case .failure(let error):
            throw hooks.after(context, error) ?? error
        }
    }
}
