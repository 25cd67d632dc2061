// SPDX-License-Identifier: Apache-2.0

/// Names a timer in its heap. A token of a timer that has fired or was removed names nothing, also after its slot has
/// been used again.
package struct TimerToken: Hashable, Sendable {
    fileprivate var slot: Int
    fileprivate var generation: UInt64
}

/// A binary heap of deadlines, from which a timer can be taken out before its time: most deadlines of calls are, and
/// would otherwise pile up until they pass.
struct TimerHeap<Payload> {
    private struct Slot {
        var deadline: ContinuousClock.Instant
        /// Counts up; equal deadlines fire in the order of their insertion. Doubles as the token's generation.
        var order: UInt64
        /// The place in `heap`.
        var position: Int
        var payload: Payload?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    private var heap: [Int] = []
    private var order: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }

    /// The earliest deadline.
    var next: ContinuousClock.Instant? {
        heap.first.map { slots[$0].deadline }
    }

    mutating func insert(_ deadline: ContinuousClock.Instant, _ payload: Payload) -> TimerToken {
        order += 1
        let entry = Slot(deadline: deadline, order: order, position: heap.count, payload: payload)
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = entry
        } else {
            slot = slots.count
            slots.append(entry)
        }
        heap.append(slot)
        siftUp(heap.count - 1)
        return TimerToken(slot: slot, generation: order)
    }

    /// The payload, if the timer was still there.
    @discardableResult
    mutating func remove(_ token: TimerToken) -> Payload? {
        guard slots.indices.contains(token.slot), slots[token.slot].order == token.generation,
            slots[token.slot].payload != nil
        else { return nil }
        return take(slots[token.slot].position)
    }

    /// The earliest payload whose time has come.
    mutating func popExpired(_ now: ContinuousClock.Instant) -> Payload? {
        guard let next, next <= now else { return nil }
        return take(0)
    }

    /// All payloads, in no order; the heap is empty afterwards.
    mutating func removeAll() -> [Payload] {
        let payloads = heap.compactMap { slots[$0].payload }
        slots = []
        free = []
        heap = []
        return payloads
    }

    private mutating func take(_ position: Int) -> Payload? {
        let slot = heap[position]
        let last = heap.removeLast()
        if position < heap.count {
            place(last, position)
            siftDown(position)
            siftUp(position)
        }
        free.append(slot)
        return slots[slot].payload.take()
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (slots[left], slots[right])
        return a.deadline == b.deadline ? a.order < b.order : a.deadline < b.deadline
    }

    private mutating func place(_ slot: Int, _ position: Int) {
        heap[position] = slot
        slots[slot].position = position
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        let slot = heap[position]
        while position > 0 {
            let parent = (position - 1) / 2
            guard precedes(slot, heap[parent]) else { break }
            place(heap[parent], position)
            position = parent
        }
        place(slot, position)
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        let slot = heap[position]
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, precedes(heap[child + 1], heap[child]) { child += 1 }
            guard precedes(heap[child], slot) else { break }
            place(heap[child], position)
            position = child
        }
        place(slot, position)
    }
}
