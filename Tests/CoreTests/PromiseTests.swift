// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Core

@Suite struct PromiseTests {
    @Test func everyWaiterGetsTheFirstValue() async throws {
        let promise = Promise<Int>()
        let waiters = (0..<10).map { _ in Task { try await promise.value() } }
        promise.settle(.success(1))
        promise.settle(.success(2))
        for waiter in waiters { #expect(try await waiter.value == 1) }
        #expect(try await promise.value() == 1)
    }

    @Test func cancellingOneWaiterLeavesTheOthers() async throws {
        let promise = Promise<Int>()
        let cancelled = Task { try await promise.value() }
        let other = Task { try await promise.value() }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        promise.settle(.success(7))
        #expect(try await other.value == 7)
    }

    @Test func aWaiterThatIsCancelledBeforeItWaitsEndsAtOnce() async {
        let promise = Promise<Int>()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await promise.value()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
