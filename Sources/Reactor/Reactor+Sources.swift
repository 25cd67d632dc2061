// SPDX-License-Identifier: Apache-2.0
package import Kernel
internal import SystemPackage

// All on the reactor's thread.
extension Reactor {
    /// Watches a descriptor until `detach`. The reactor keeps the source alive meanwhile. ECANCELED when the reactor is
    /// about to end.
    package func attach(
        _ descriptor: Int32, _ events: EpollEvents, _ source: any EventSource
    ) throws(SystemError) -> SourceToken {
        if stopping { throw SystemError("epoll_ctl", "reactor \(name)", .canceled) }
        let token = sources.insert(source)
        do {
            try epoll.add(descriptor, events, token: token.rawValue)
        } catch {
            sources.remove(token)
            throw error
        }
        return token
    }

    package func modify(_ descriptor: Int32, _ events: EpollEvents, _ token: SourceToken) throws(SystemError) {
        try epoll.modify(descriptor, events, token: token.rawValue)
    }

    /// Before the descriptor is closed: epoll watches the open file, not the number, and would go on if there are
    /// duplicates.
    package func detach(_ descriptor: Int32, _ token: SourceToken) {
        guard sources[token] != nil else { return }
        sources.remove(token)
        // ENOENT: the descriptor was closed behind our back, and epoll has forgotten it.
        _ = try? epoll.remove(descriptor)
    }

    /// Calls `action` at the deadline, or early when the reactor ends; not after `unschedule`.
    package func schedule(_ deadline: ContinuousClock.Instant, _ action: @escaping () -> Void) -> TimerToken {
        timers.insert(stopping ? .now : deadline, action)
    }

    package func unschedule(_ token: TimerToken) {
        timers.remove(token)
    }
}
