// SPDX-License-Identifier: Apache-2.0
public import RPC
internal import Reactor
public import Services
internal import Synchronization

/// A client of one daemon. It connects with the first call, and any number of calls may run at once.
///
/// Errors: `containers`, `images` and `system` throw ClientError when there is no connection; the calls on them throw
/// RPCError, which `ClientError(_:)` turns into what users are told. The client owns the thread that it starts; `close`
/// ends it.
public final class GantryClient: Sendable {
    private struct State {
        var reactor: Reactor?
        var attempt: Task<ClientConnection, any Error>?
        var isClosed = false
    }

    public let host: HostAddress
    private let connectTimeout: Duration
    private let state = Mutex(State())

    public init(host: HostAddress = .standard, connectTimeout: Duration = .seconds(10)) {
        self.host = host
        self.connectTimeout = connectTimeout
    }

    deinit {
        close()
    }

    public var containers: ContainerizerClient {
        get async throws { ContainerizerClient(try await connection()) }
    }

    public var images: ImagesClient {
        get async throws { ImagesClient(try await connection()) }
    }

    public var system: SystemClient {
        get async throws { SystemClient(try await connection()) }
    }

    public var reflection: ReflectionClient {
        get async throws { ReflectionClient(try await connection()) }
    }

    /// The connection, which is made now if there is none. Callers that come together share one attempt; after a
    /// failed attempt the next call tries again.
    public func connection() async throws -> ClientConnection {
        let path = host.path
        let timeout = connectTimeout
        let attempt: Task<ClientConnection, any Error>
        do {
            attempt = try state.withLock { state in
                if let attempt = state.attempt { return attempt }
                let reactor = try startedReactor(&state)
                let attempt = reactor.task {
                    try await ClientConnection.connect(unixSocket: path, reactor: reactor, timeout: timeout)
                }
                state.attempt = attempt
                return attempt
            }
        } catch {
            throw ClientError(error)
        }
        do {
            return try await attempt.value
        } catch {
            state.withLock { state in
                if state.attempt == attempt { state.attempt = nil }
            }
            throw ClientError(error)
        }
    }

    /// Closes the connection; calls in flight end with UNAVAILABLE. The next call connects anew.
    public func disconnect() async {
        let attempt = state.withLock { state in
            let attempt = state.attempt
            state.attempt = nil
            return attempt
        }
        guard let attempt else { return }
        attempt.cancel()
        if let connection = try? await attempt.value { connection.close() }
    }

    /// Ends all calls and the client's thread. Later calls throw.
    public func close() {
        let reactor = state.withLock { state in
            let reactor = state.reactor
            state = State(isClosed: true)
            return reactor
        }
        reactor?.stop()
    }

    /// The thread's loop, for timers and for calls whose order matters: tasks on it start in the order in which they
    /// are made.
    func reactor() throws -> Reactor {
        do {
            return try state.withLock { state in try startedReactor(&state) }
        } catch {
            throw ClientError(error)
        }
    }

    /// Returns after `duration`. Throws CancellationError when the task is cancelled or the client closed.
    public func pause(for duration: Duration) async throws {
        try await reactor().wait(until: .now + duration)
    }

    private func startedReactor(_ state: inout State) throws -> Reactor {
        if let reactor = state.reactor { return reactor }
        if state.isClosed { throw ClientError(cause: .call(.unavailable), message: "the client is closed") }
        let reactor = try Reactor(name: "gantry-client")
        try reactor.start()
        state.reactor = reactor
        return reactor
    }
}
