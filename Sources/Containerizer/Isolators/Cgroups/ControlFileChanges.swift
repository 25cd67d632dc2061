// SPDX-License-Identifier: Apache-2.0

import Kernel
import Reactor
import Synchronization

/// Tells when control files change, for any number of files, with one inotify instance.
final class ControlFileChanges: Sendable {
    private let watches: Watches
    /// Ends with this object.
    private let dispatch: Task<Void, any Error>

    init(reactor: Reactor) throws {
        let watches = try Watches()
        self.watches = watches
        dispatch = reactor.task { try await watches.dispatch(reactor) }
    }

    deinit {
        dispatch.cancel()
    }

    /// An element for one or more changes since the last; ends when the file is gone. A change before this call gives
    /// none, so read the file after it. One sequence a file.
    func of(_ path: String) throws -> AsyncStream<Void> {
        try watches.add(path)
    }
}

private final class Watches: Sendable {
    private typealias Continuation = AsyncStream<Void>.Continuation

    private let notify: Notify
    private let active = Mutex<[Notify.Watch: Continuation]>([:])

    init() throws {
        notify = try Notify()
    }

    func add(_ path: String) throws -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        // Under the lock, so that no event of the new watch is dispatched before it is known.
        let watch = try active.withLock { active in
            let watch = try notify.watch(path)
            active[watch] = continuation
            return watch
        }
        continuation.onTermination = { [weak self] _ in self?.end(watch) }
        return stream
    }

    func dispatch(_ reactor: Reactor) async throws {
        defer { finishAll() }
        while true {
            try await reactor.readable(notify.raw)
            for event in try notify.events() { deliver(event) }
        }
    }

    private func deliver(_ event: Notify.Event) {
        switch event {
        case .modified(let watch): active.withLock { $0[watch] }?.yield()
        case .ended(let watch): active.withLock { $0.removeValue(forKey: watch) }?.finish()
        case .overflow: for continuation in active.withLock({ Array($0.values) }) { continuation.yield() }
        }
    }

    private func end(_ watch: Notify.Watch) {
        if active.withLock({ $0.removeValue(forKey: watch) }) != nil { notify.remove(watch) }
    }

    private func finishAll() {
        let remaining = active.withLock { active in
            defer { active = [:] }
            return Array(active.values)
        }
        for continuation in remaining { continuation.finish() }
    }
}
