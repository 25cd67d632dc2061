// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reactor

@Suite struct TimerHeapTests {
    let start = ContinuousClock.now

    @Test func firesInOrderOfDeadlineThenOfInsertion() {
        var heap = TimerHeap<String>()
        _ = heap.insert(start + .seconds(2), "c")
        _ = heap.insert(start + .seconds(1), "a")
        _ = heap.insert(start + .seconds(1), "b")
        #expect(heap.next == start + .seconds(1))
        #expect(heap.popExpired(start) == nil)
        #expect(heap.popExpired(start + .seconds(1)) == "a")
        #expect(heap.popExpired(start + .seconds(1)) == "b")
        #expect(heap.popExpired(start + .seconds(1)) == nil)
        #expect(heap.popExpired(start + .seconds(3)) == "c")
        #expect(heap.isEmpty)
    }

    @Test func aRemovedTimerDoesNotFireAndItsTokenDoesNotReachTheNextOne() {
        var heap = TimerHeap<Int>()
        let first = heap.insert(start, 1)
        #expect(heap.remove(first) == 1)
        #expect(heap.remove(first) == nil)
        let second = heap.insert(start, 2)
        #expect(heap.remove(first) == nil)
        #expect(heap.count == 1)
        #expect(heap.remove(second) == 2)
        #expect(heap.popExpired(start) == nil)
    }

    @Test func staysAHeapUnderRandomUse() {
        var generator = SystemRandomNumberGenerator()
        var heap = TimerHeap<Int>()
        var model: [Int: (deadline: Int, token: TimerToken)] = [:]
        for step in 0..<5_000 {
            if Int.random(in: 0..<3, using: &generator) > 0 || model.isEmpty {
                let deadline = Int.random(in: 0..<1_000, using: &generator)
                model[step] = (deadline, heap.insert(start + .milliseconds(deadline), step))
            } else if let (key, entry) = model.randomElement(using: &generator) {
                #expect(heap.remove(entry.token) == key)
                model[key] = nil
            }
            #expect(heap.count == model.count)
        }
        var last = -1
        while let key = heap.popExpired(start + .seconds(2)) {
            guard let deadline = model.removeValue(forKey: key)?.deadline else {
                Issue.record("fired what was not there")
                continue
            }
            #expect(deadline >= last)
            last = deadline
        }
        #expect(model.isEmpty)
    }
}
