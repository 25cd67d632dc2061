// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import SystemPackage

/// The tasks that wait for one descriptor. Watched level-triggered, and only while somebody waits: the owner of the
/// descriptor reads and writes as it likes in between.
final class DescriptorWaits: EventSource {
    private unowned let reactor: Reactor
    private let descriptor: Int32
    private var token: SourceToken?
    private var armed: EpollEvents = []
    private var waiters: [(interest: EpollEvents, waiter: Waiter<Void>)] = []

    init(_ reactor: Reactor, _ descriptor: Int32) {
        self.reactor = reactor
        self.descriptor = descriptor
    }

    func add(_ waiter: Waiter<Void>, _ interest: EpollEvents) throws(SystemError) {
        waiters.append((interest, waiter))
        do {
            try arm()
        } catch {
            remove(waiter)
            throw error
        }
    }

    /// Without finishing it.
    func remove(_ waiter: Waiter<Void>) {
        waiters.removeAll { $0.waiter === waiter }
        _ = try? arm()
    }

    func ready(_ events: EpollEvents) {
        // An error or a hang-up ends every wait: the call that follows reports it.
        let ended = !events.isDisjoint(with: [.error, .hangUp])
        finish(.success(())) { interest in
            // A changed cgroup file is EPOLLPRI|EPOLLERR; whoever waits for a change must see that as one.
            !events.isDisjoint(with: interest) || ended
        }
        _ = try? arm()
    }

    func reactorStops() {
        finish(.failure(CancellationError())) { _ in true }
        _ = try? arm()
    }

    private func finish(_ result: Result<Void, any Error>, _ matches: (EpollEvents) -> Bool) {
        let done = waiters.filter { matches($0.interest) }
        waiters.removeAll { matches($0.interest) }
        for entry in done { entry.waiter.finish(result) }
    }

    /// Makes epoll's interest the union of the waiters'.
    private func arm() throws(SystemError) {
        let wanted = waiters.reduce(into: EpollEvents()) { $0.formUnion($1.interest) }
        guard let token else {
            if wanted.isEmpty { return leave() }
            self.token = try reactor.attach(descriptor, wanted, self)
            armed = wanted
            return
        }
        if wanted.isEmpty {
            self.token = nil
            reactor.detach(descriptor, token)
            return leave()
        }
        guard wanted != armed else { return }
        do throws(SystemError) {
            try reactor.modify(descriptor, wanted, token)
        } catch  where error.errno == .noSuchFileOrDirectory {
            // The number has been closed and opened again since the other waiters came.
            reactor.detach(descriptor, token)
            self.token = try reactor.attach(descriptor, wanted, self)
        }
        armed = wanted
    }

    private func leave() {
        if reactor.waits[descriptor] === self { reactor.waits[descriptor] = nil }
    }
}
