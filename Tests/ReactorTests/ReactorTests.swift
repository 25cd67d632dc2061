// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import SystemPackage
import Testing

@testable import Reactor

/// Starts a reactor, and ends it after the body.
func withReactor<T>(_ body: (Reactor) async throws -> T) async throws -> T {
    let reactor = try Reactor(name: "test")
    try reactor.start()
    do {
        let result = try await body(reactor)
        reactor.stop()
        reactor.join()
        return result
    } catch {
        reactor.stop()
        reactor.join()
        throw error
    }
}

/// Swift's Glibc module lacks <sys/pidfd.h>.
@_silgen_name("pidfd_open") private func pidfd_open(_ pid: pid_t, _ flags: UInt32) -> Int32

private actor Counter {
    let reactor: Reactor
    private var value = 0
    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    func increment() -> (value: Int, onReactor: Bool) {
        value += 1
        return (value, reactor.isCurrent)
    }
}

@Suite struct ReactorTests {
    @Test func aTaskRunsAndStaysOnTheReactor() async throws {
        try await withReactor { reactor in
            let places = try await reactor.task {
                var places = [reactor.isCurrent]
                await Task.yield()
                places.append(reactor.isCurrent)
                try await reactor.wait(until: .now)
                places.append(reactor.isCurrent)
                async let child = reactor.isCurrent
                places.append(await child)
                await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                    // Resumed from a foreign thread, the task must come back.
                    _ = try? Thread("foreign") { continuation.resume() }
                }
                places.append(reactor.isCurrent)
                return places
            }.value
            #expect(places == [true, true, true, true, true])
            #expect(!reactor.isCurrent)
        }
    }

    @Test func anActorLivesOnTheReactorWhoeverCallsIt() async throws {
        try await withReactor { reactor in
            let counter = Counter(reactor)
            let fromOutside = await counter.increment()
            #expect(fromOutside.value == 1 && fromOutside.onReactor)
            let fromInside = try await reactor.task { await counter.increment() }.value
            #expect(fromInside.value == 2 && fromInside.onReactor)
        }
    }

    @Test func manyThreadsEnqueueAndNothingIsLost() async throws {
        try await withReactor { reactor in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<2_000 {
                    group.addTask {
                        try await reactor.task {
                            await Task.yield()
                            return number
                        }.value
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1_999_000)
        }
    }

    @Test func timersFireInOrderAndNotEarly() async throws {
        try await withReactor { reactor in
            let (fired, continuation) = AsyncStream.makeStream(of: (number: Int, isEarly: Bool).self)
            let start = ContinuousClock.now
            reactor.submit {
                for number in [3, 1, 2] {
                    let deadline = start + .milliseconds(10 * number)
                    _ = reactor.schedule(deadline) {
                        continuation.yield((number, ContinuousClock.now < deadline))
                        if number == 3 { continuation.finish() }
                    }
                }
            }
            var order: [Int] = []
            for await (number, isEarly) in fired {
                order.append(number)
                #expect(!isEarly)
            }
            #expect(order == [1, 2, 3])
        }
    }

    @Test func aCancelledTimerEndsAtOnceAndLeavesNothing() async throws {
        try await withReactor { reactor in
            let task = reactor.task { try await reactor.wait(until: .now + .seconds(3_600)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let remaining = try await reactor.task { reactor.timers.count }.value
            #expect(remaining == 0)
        }
    }

    @Test func readableAndWritableWaitForTheirOwnEvent() async throws {
        try await withReactor { reactor in
            let (left, right) = try UnixSocket.pair()
            defer {
                close(left)
                close(right)
            }
            try await reactor.writable(left)
            let reader = reactor.task { try await reactor.readable(left) }
            try await reactor.writable(left)
            #expect(write(right, "x", 1) == 1)
            try await reader.value
            var byte: UInt8 = 0
            #expect(read(left, &byte, 1) == 1)
            let remaining = try await reactor.task { reactor.waits.count }.value
            #expect(remaining == 0)
        }
    }

    @Test func aHangUpEndsAWait() async throws {
        try await withReactor { reactor in
            let (left, right) = try UnixSocket.pair()
            defer { close(left) }
            let reader = reactor.task { try await reactor.readable(left) }
            close(right)
            try await reader.value
        }
    }

    @Test func aProcessFileDescriptorBecomesReadableWhenTheProcessEnds() async throws {
        try await withReactor { reactor in
            var pid = pid_t()
            let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
            defer { free(arguments[0]) }
            try #require(posix_spawn(&pid, "/bin/true", nil, nil, arguments, nil) == 0)
            let descriptor = pidfd_open(pid, 0)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            try await reactor.readable(descriptor)
            var status: Int32 = -1
            #expect(waitpid(pid, &status, WNOHANG) == pid)
            #expect(status == 0)
        }
    }

    @Test func aCancelledWaitLeavesNothingAndTheDescriptorCanBeWaitedForAgain() async throws {
        try await withReactor { reactor in
            let counter = try EventCounter()
            let number = counter.raw
            let task = reactor.task { try await reactor.readable(number) }
            try await reactor.task { await Task.yield() }.value
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let remaining = try await reactor.task { reactor.waits.count + reactor.sources.count }.value
            #expect(remaining == 0)
            counter.signal()
            try await reactor.readable(number)
            #expect(counter.reset() == 1)
        }
    }

    @Test func aTaskThatIsCancelledBeforeItWaitsDoesNotWait() async throws {
        try await withReactor { reactor in
            let counter = try EventCounter()
            let number = counter.raw
            let task = reactor.task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await reactor.readable(number)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let remaining = try await reactor.task { reactor.waits.count }.value
            #expect(remaining == 0)
        }
    }

    @Test func severalTasksWaitForOneDescriptor() async throws {
        try await withReactor { reactor in
            let counter = try EventCounter()
            let number = counter.raw
            let tasks = (0..<3).map { _ in reactor.task { try await reactor.readable(number) } }
            counter.signal()
            for task in tasks { try await task.value }
        }
    }

    @Test func aRegularFileCannotBeWaitedFor() async throws {
        try await withReactor { reactor in
            let descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            let error = await #expect(throws: SystemError.self) { try await reactor.readable(descriptor) }
            #expect(error?.errno == .notPermitted)
            let remaining = try await reactor.task { reactor.waits.count }.value
            #expect(remaining == 0)
        }
    }

    @Test func stoppingEndsWaitsAndLaterWaitsAndLaterTasksStillRun() async throws {
        let reactor = try Reactor(name: "stops")
        try reactor.start()
        let counter = try EventCounter()
        let number = counter.raw
        let waits = [
            reactor.task { try await reactor.readable(number) },
            reactor.task { try await reactor.wait(until: .now + .seconds(3_600)) },
        ]
        try await reactor.task { await Task.yield() }.value
        reactor.stop()
        for wait in waits {
            await #expect(throws: CancellationError.self) { try await wait.value }
        }
        reactor.join()
        let late = reactor.task {
            await Task.yield()
            try await reactor.wait(until: .now + .seconds(3_600))
        }
        await #expect(throws: CancellationError.self) { try await late.value }
    }

    @Test func jobsBeforeTheStartRunAfterIt() async throws {
        let reactor = try Reactor(name: "later")
        let early = reactor.task { reactor.isCurrent }
        try reactor.start()
        #expect(try await early.value)
        reactor.stop()
        reactor.join()
    }

    /// Its epoll instance and eventfd close with it, so nothing may keep it: no thread, no source, no parked task.
    @Test func nothingKeepsAReactorThatHasEnded() async throws {
        weak var kept: Reactor?
        do {
            let reactor = try Reactor(name: "ends")
            kept = reactor
            try reactor.start()
            let counter = try EventCounter()
            let number = counter.raw
            let waits = [
                reactor.task { try await reactor.readable(number) },
                reactor.task { try await reactor.wait(until: .now + .seconds(3_600)) },
            ]
            _ = await Counter(reactor).increment()
            reactor.stop()
            for wait in waits { _ = await wait.result }
            reactor.join()
        }
        #expect(kept == nil)
    }

    @Test func aTaskThatNeverRestsDoesNotStarveTimers() async throws {
        try await withReactor { reactor in
            let spinner = reactor.task {
                while !Task.isCancelled { await Task.yield() }
            }
            try await reactor.wait(until: .now + .milliseconds(1))
            spinner.cancel()
            try await spinner.value
        }
    }
}
