// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import Reactor
internal import Synchronization

/// What a server's listeners and connections share. On the reactor's thread, but for what never changes.
final class ServerCore: @unchecked Sendable {
    let reactor: Reactor
    let routes: RouteTable
    let interceptors: InterceptorChain
    let limits: Limits
    let pool: CallPool
    let budget: MemoryBudget
    let metrics: ServerMetrics?

    private var listeners: [Listener] = []
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var connectionsOfUser: [UInt32: Int] = [:]
    private var lastCallID: UInt64 = 0
    /// No new connections, and no new calls.
    private var drains = false
    private var drainers: [Waiter<Void>] = []

    init(
        reactor: Reactor, router: Router, interceptors: [Interceptor], limits: Limits, metrics: ServerMetrics? = nil
    ) {
        self.reactor = reactor
        // The outermost, so that what the others refuse is counted.
        self.interceptors = InterceptorChain((metrics.map { [.metrics($0)] } ?? []) + interceptors)
        self.limits = limits
        self.metrics = metrics
        routes = RouteTable(router)
        pool = CallPool(reactor)
        budget = MemoryBudget(limit: limits.serverBytes, metrics)
        pool.didEnd = { [weak self] in self?.checkDrained() }
    }

    func nextCallID() -> UInt64 {
        lastCallID &+= 1
        return lastCallID
    }

    /// What there is of everything that a call or a connection brings with it.
    struct Census: Hashable, Sendable {
        var connections = 0
        var streams = 0
        var calls = 0
        var strayTasks = 0
        var bytes = 0
    }

    var census: Census {
        Census(
            connections: connections.count, streams: connections.values.reduce(0) { $0 + $1.streamCount },
            calls: pool.running, strayTasks: pool.strayTasks, bytes: budget.used)
    }

    // MARK: Connections

    func add(_ listener: Listener) {
        if drains { return listener.close() }
        do {
            try listener.attach()
            listeners.append(listener)
        } catch {
            // The reactor ends, or the user is out of epoll watches. Whoever connects is refused.
            listener.close()
        }
    }

    var mayAccept: Bool { connections.count < limits.connections }

    var connectionCount: Int { connections.count }

    func accepted(_ descriptor: consuming Descriptor, _ peer: PeerCredentials) {
        // Closed at once: in the backlog it would stand in the way of other users.
        guard connectionsOfUser[peer.uid, default: 0] < limits.connectionsPerUser else {
            metrics?.turnedAway.wrappingAdd(1, ordering: .relaxed)
            return
        }
        metrics?.accepted.wrappingAdd(1, ordering: .relaxed)
        connectionsOfUser[peer.uid, default: 0] += 1
        let connection = ServerConnection(server: self, descriptor: descriptor, peer: peer)
        connections[ObjectIdentifier(connection)] = connection
        countConnections()
        do {
            try connection.attach()
        } catch {
            connection.close()
        }
    }

    private func countConnections() {
        budget.connections = connections.count
        metrics?.connections.store(connections.count, ordering: .relaxed)
    }

    func didClose(_ connection: ServerConnection) {
        let wasFull = !mayAccept
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        countConnections()
        let left = connectionsOfUser[connection.peer.uid, default: 1] - 1
        connectionsOfUser[connection.peer.uid] = left > 0 ? left : nil
        if wasFull { for listener in listeners { listener.resume() } }
        checkDrained()
    }

    // MARK: The end

    /// Waits until the calls have ended, or the deadline, and shuts down. Begins also in a task that has been cancelled:
    /// that is how a daemon is told to end.
    func drain(_ deadline: ContinuousClock.Instant) async {
        await onReactor { self.beginToDrain() }
        try? await reactor.suspend { (reactor, waiter: Waiter<Void>) in
            self.drainers.append(waiter)
            let timer = reactor.schedule(deadline) { waiter.finish(.success(())) }
            self.checkDrained()
            return {
                reactor.unschedule(timer)
                self.drainers.removeAll { $0 === waiter }
            }
        }
        await shutdown()
    }

    func shutdown() async {
        await onReactor { self.close() }
    }

    /// Without regard to the cancellation of the calling task.
    private func onReactor(_ body: @escaping @Sendable () -> Void) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            reactor.perform {
                body()
                continuation.resume()
            }
        }
    }

    private func beginToDrain() {
        drains = true
        for listener in listeners { listener.close() }
        listeners = []
        for connection in Array(connections.values) { connection.drain() }
    }

    private func checkDrained() {
        guard drains, connections.isEmpty, pool.running == 0 else { return }
        let waiters = drainers
        drainers = []
        for waiter in waiters { waiter.finish(.success(())) }
    }

    /// Also when the reactor ends.
    func close() {
        beginToDrain()
        for connection in Array(connections.values) { connection.close() }
        pool.close()
    }
}
