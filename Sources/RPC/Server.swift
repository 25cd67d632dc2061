// SPDX-License-Identifier: Apache-2.0
public import Glibc
public import Reactor

/// Serves a router's methods over Unix sockets. All of it runs on one reactor.
public final class Server: Sendable {
    public init(reactor: Reactor, router: Router, interceptors: [Interceptor] = [], limits: Limits = Limits()) {}

    /// Accepts connections on a path. A socket file that nobody listens on is replaced; one that somebody answers on
    /// is EADDRINUSE, a file of another kind EEXIST. Throws SystemError.
    public func listen(unixSocket path: String, mode: mode_t = 0o660) throws { fatalError("in work") }

    /// Stops accepting and waits until the calls in flight have ended; closes what is left at the deadline.
    public func drain(deadline: ContinuousClock.Instant) async { fatalError("in work") }

    /// Closes the sockets and cancels the calls in flight.
    public func shutdown() async { fatalError("in work") }
}
