// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import Reactor
internal import SystemPackage

/// Accepts the connections of one path. On the reactor's thread.
final class Listener: EventSource {
    /// Connections taken in one turn.
    private static let acceptsPerTurn = 64
    /// How long a process without free descriptors waits for one.
    private static let pause: Duration = .milliseconds(100)

    private let server: ServerCore
    private let reactor: Reactor
    private var socket: UnixListener?
    private var token: SourceToken?
    private var watches = false
    private var pauseTimer: TimerToken?

    init(server: ServerCore, socket: consuming UnixListener) {
        self.server = server
        reactor = server.reactor
        self.socket = consume socket
    }

    /// Throws SystemError.
    func attach() throws {
        guard let number = socket?.descriptor.raw else { return }
        // Level-triggered: what one turn leaves, the next one sees.
        token = try reactor.attach(number, .readable, self)
        watches = true
    }

    func close() {
        if let pauseTimer { reactor.unschedule(pauseTimer) }
        pauseTimer = nil
        guard let number = socket?.descriptor.raw else { return }
        if let token { reactor.detach(number, token) }
        socket?.unlinkFile()
        socket = nil
    }

    func reactorStops() {
        server.close()
    }

    func ready(_ events: EpollEvents) {
        for _ in 0..<Self.acceptsPerTurn {
            guard server.mayAccept else { return watch(false) }
            do {
                guard try acceptOne() else { return }
            } catch {
                // Out of descriptors or memory. The connection stays in the backlog and the socket readable: looking
                // away for a moment keeps the loop from spinning on it.
                return pauseAccepting()
            }
        }
    }

    /// False: none waits.
    private func acceptOne() throws(SystemError) -> Bool {
        guard let number = socket?.descriptor.raw, let descriptor = try UnixSocket.accept(number) else { return false }
        let peer = try UnixSocket.credentials(descriptor)
        server.accepted(descriptor, PeerCredentials(pid: peer.pid, uid: peer.uid, gid: peer.gid))
        return true
    }

    private func pauseAccepting() {
        watch(false)
        pauseTimer = reactor.schedule(.now + Self.pause) { [weak self] in
            self?.pauseTimer = nil
            self?.resume()
        }
    }

    /// There is room for connections again.
    func resume() {
        guard pauseTimer == nil else { return }
        watch(true)
    }

    private func watch(_ wanted: Bool) {
        guard watches != wanted, let token, let number = socket?.descriptor.raw else { return }
        watches = wanted
        // Fails only for descriptors that epoll does not know, which this one is not.
        try? reactor.modify(number, wanted ? .readable : [], token)
    }
}
