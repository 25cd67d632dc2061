// SPDX-License-Identifier: Apache-2.0
public import Reactor
internal import SystemPackage

/// A connection that comes back: makes one when it is first needed and another one when that has closed.
///
/// Calls in flight are not repeated, because only their callers know whether they may be: they fail with UNAVAILABLE,
/// and the next one goes to a new connection.
public final class Reconnector: Sendable {
    private struct State {
        /// The connection, or the attempt to make one that all who need it share.
        var attempt: Task<ClientConnection, any Error>?
        var current: ClientConnection?
    }

    private let path: String
    private let reactor: Reactor
    private let limits: Limits
    private let patience: Duration
    private let state = Locked(State())

    /// `patience`: how long `connection` goes on trying while nobody listens on the socket. Zero: one try.
    public init(unixSocket path: String, reactor: Reactor, limits: Limits = Limits(), patience: Duration = .seconds(10))
    {
        self.path = path
        self.reactor = reactor
        self.limits = limits
        self.patience = patience
    }

    /// The open connection, made now if there is none. Throws ConnectError; with ETIMEDOUT, ENOENT or ECONNREFUSED when
    /// patience has run out. A failed attempt is over for all who waited for it; the next caller begins another one.
    public func connection() async throws -> ClientConnection {
        let attempt: Task<ClientConnection, any Error> = state.withLock { state in
            if let current = state.current, current.isClosed { state = State() }
            if let attempt = state.attempt { return attempt }
            let attempt = reactor.task { try await self.connect() }
            state.attempt = attempt
            return attempt
        }
        do {
            let connection = try await attempt.value
            state.withLock { if $0.attempt == attempt { $0.current = connection } }
            return connection
        } catch {
            state.withLock { if $0.attempt == attempt { $0 = State() } }
            throw error
        }
    }

    /// Tries again after growing pauses: nothing tells when somebody listens on a socket.
    private func connect() async throws -> ClientConnection {
        let deadline = ContinuousClock.now + patience
        var pause = Duration.milliseconds(2)
        while true {
            do {
                let left = max(.milliseconds(1), ContinuousClock.now.duration(to: deadline))
                return try await ClientConnection.connect(
                    unixSocket: path, reactor: reactor, timeout: left, limits: limits)
            } catch let error as ConnectError {
                let absent = error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused
                guard absent, ContinuousClock.now + pause < deadline else { throw error }
            }
            try await reactor.wait(until: .now + pause)
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    /// Closes the connection. The next call makes another one.
    public func disconnect() {
        let old = state.withLock { state in
            let old = state
            state = State()
            return old
        }
        old.attempt?.cancel()
        old.current?.close()
    }
}
