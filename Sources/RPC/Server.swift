// SPDX-License-Identifier: Apache-2.0
public import Glibc
public import Kernel
public import Reactor

/// Serves a router's methods over Unix sockets (ttrpc 1.2). All of it runs on one reactor, which must run.
///
/// A handler runs in a task that prefers the reactor: it must not block its thread (see `BlockingPool`). Its task is
/// cancelled when the deadline of the call passes, when the connection closes and when the server is shut down; the
/// caller has got its answer then, and what the handler returns is dropped.
///
/// `Sendable` though its state is not: the state belongs to the reactor's thread.
public final class Server: Sendable {
    let core: ServerCore

    /// `metrics`: what counts this server's calls, connections and bytes.
    public init(
        reactor: Reactor, router: Router, interceptors: [Interceptor] = [], limits: Limits = Limits(),
        metrics: ServerMetrics? = nil
    ) {
        core = ServerCore(
            reactor: reactor, router: router, interceptors: interceptors, limits: limits, metrics: metrics)
    }

    /// Accepts connections on a path; may be called for several. A socket file that nobody listens on is replaced; one
    /// that somebody answers on is EADDRINUSE, a file of another kind EEXIST. Throws SystemError.
    public func listen(unixSocket path: String, mode: mode_t = 0o660) throws {
        let listener = Listener(server: core, socket: try UnixListener(path, mode: mode))
        let box = Handover(listener)
        let core = core
        core.reactor.perform { core.add(box.content) }
    }

    /// Accepts connections on a socket that this process was started with. Its file stays when the server ends.
    public func listen(inherited socket: UnixListener.Inherited) {
        let listener = Listener(server: core, socket: UnixListener(socket))
        let box = Handover(listener)
        let core = core
        core.reactor.perform { core.add(box.content) }
    }

    /// Stops accepting, refuses new calls with UNAVAILABLE, closes each connection once its calls are answered, and
    /// waits for all of that and for handlers that outlive their calls. At the deadline, or when the waiting task is
    /// cancelled, the rest is shut down.
    public func drain(deadline: ContinuousClock.Instant) async {
        await core.drain(deadline)
    }

    /// Closes the sockets, removes their files and cancels the calls in flight. Their handlers may still be ending when
    /// this returns.
    public func shutdown() async {
        await core.shutdown()
    }
}

/// Carries what belongs to the reactor's thread over to it.
struct Handover<Content>: @unchecked Sendable {
    let content: Content

    init(_ content: Content) {
        self.content = content
    }
}
