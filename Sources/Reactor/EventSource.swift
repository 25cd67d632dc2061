// SPDX-License-Identifier: Apache-2.0
package import Kernel

/// Something with a descriptor that a reactor watches. All calls come on the reactor's thread.
package protocol EventSource: AnyObject {
    /// The descriptor has these events. It may be detached, and others attached, from here.
    func ready(_ events: EpollEvents)

    /// The reactor ends. The source detaches its descriptor and fails what waits for it.
    func reactorStops()
}

/// Something that collects work during a turn of the loop and does it at the end: one `send` for many replies.
package protocol TurnEnd: AnyObject {
    func turnEnds()
}

/// Names an attached descriptor. One that has been detached names nothing.
package struct SourceToken: Hashable, Sendable {
    var rawValue: UInt64
}

/// The attached sources, by the token that epoll hands back with an event.
///
/// A token has a slot in its low half and the slot's generation in its high half: an event that was fetched together
/// with the one whose handler detached this source must not reach the slot's next user.
struct SourceTable {
    private struct Slot {
        var generation: UInt32
        var source: (any EventSource)?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    private(set) var count = 0

    mutating func insert(_ source: any EventSource) -> SourceToken {
        count += 1
        if let slot = free.popLast() {
            slots[slot].source = source
            return token(slot)
        }
        slots.append(Slot(generation: 1, source: source))
        return token(slots.count - 1)
    }

    mutating func remove(_ token: SourceToken) {
        let slot = Int(token.rawValue & 0xffff_ffff)
        guard self[token] != nil else { return }
        slots[slot].source = nil
        slots[slot].generation &+= 1
        free.append(slot)
        count -= 1
    }

    subscript(_ token: SourceToken) -> (any EventSource)? {
        let slot = Int(token.rawValue & 0xffff_ffff)
        guard slots.indices.contains(slot), UInt64(slots[slot].generation) == token.rawValue >> 32 else { return nil }
        return slots[slot].source
    }

    var all: [any EventSource] { slots.compactMap(\.source) }

    private func token(_ slot: Int) -> SourceToken {
        SourceToken(rawValue: UInt64(slots[slot].generation) << 32 | UInt64(slot))
    }
}
