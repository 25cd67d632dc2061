// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import Core

/// Operations on a container that is being destroyed (containerizer.md 3.14), and cancelled callers (0.2).
@Suite struct ConcurrencyTests {
    private static let names = ["a", "a.b", "a.b.c", "a.d"]

    /// With `a`, `a.b`, `a.b.c` and the DEBUG container `a.d`; the one of that name is being killed.
    private func destroying(_ name: String) async throws -> (CoreFixture, Task<Int32?, any Error>) {
        let fixture = try CoreFixture()
        for name in Self.names { try await fixture.launch(name, CoreFixture.config(debug: name == "a.d")) }
        fixture.faults.hold("kill \(name)")
        let ended = Task { try await fixture.destroy(name)?.status }
        try await fixture.faults.reached("kill \(name)")
        return (fixture, ended)
    }

    @Test(arguments: names) func operationsDuringADestruction(name: String) async throws {
        let (fixture, ended) = try await destroying(name)
        let (core, id) = (fixture.containerizer, CoreFixture.id(name))
        #expect(try await fixture.launch(name) == .alreadyLaunched)
        let refused = await #expect(throws: ContainerError.self) { try await fixture.launch("\(name).child") }
        #expect(refused?.code == "launch.parent-ending")
        #expect(refused?.kind == .failedPrecondition)
        if id.parent == nil { try await core.update(id, requests: [], limits: [:]) }
        #expect(try await core.usage(id).timestamp > 0)
        #expect(try await core.status(id).containerID == id)
        #expect(try await core.inspect(id).state == "destroying")
        #expect(await fixture.containers.contains(name))
        let removal = await #expect(throws: ContainerError.self) { try await core.remove(id) }
        #expect(removal?.code == (id.parent == nil ? "remove.top-level" : "remove.not-terminated"))
        #expect(try await core.kill(id, signal: 15), "its first process is still there")
        let gone = await #expect(throws: ContainerError.self) { try await core.kill(id, signal: 15) }
        #expect(gone?.kind == .failedPrecondition)

        let joined = await core.beginDestroyForTest(id)
        let waiting = await core.beginWaitForTest(id)
        fixture.faults.release("kill \(name)")
        // The signal came before the end, and init wrote it down.
        for status in [try await ended.value, try await joined.value, try await waiting.value] {
            #expect(status == 15)
        }
        #expect(fixture.faults.log.filter { $0 == "kill \(name)" }.count == 1)
        if id.parent != nil { try await fixture.destroy("a") }
        #expect(try fixture.leftovers().isEmpty)
    }

    /// containerizer.md R-4.
    @Test(arguments: names) func aCallerThatGoesAwayChangesNothing(name: String) async throws {
        let (fixture, ended) = try await destroying(name)
        let (core, id) = (fixture.containerizer, CoreFixture.id(name))
        let waiting = await core.beginWaitForTest(id)
        let impatient = [await core.beginWaitForTest(id), await core.beginDestroyForTest(id)]
        for task in impatient { task.cancel() }
        for task in impatient { await #expect(throws: CancellationError.self) { try await task.value } }
        ended.cancel()
        await #expect(throws: CancellationError.self) { try await ended.value }
        fixture.faults.release("kill \(name)")
        #expect(try await waiting.value == 9)
        if name != "a" { try await fixture.destroy("a") }
        #expect(try fixture.leftovers().isEmpty)
    }

    /// containerizer.md R-5 and 2.3.6.
    @Test(arguments: ["a", "a.b", "a.b.c", "a.d"], ["prepare one", "fork", "isolate two"])
    func aLauncherThatGoesAway(name: String, point: String) async throws {
        let fixture = try CoreFixture()
        for parent in Self.names where name.hasPrefix(parent + ".") { try await fixture.launch(parent) }
        fixture.faults.hold("\(point) \(name)")
        let launch = Task { await fixture.launchOrDestroy(name, CoreFixture.config(debug: name == "a.d")) }
        try await fixture.faults.reached("\(point) \(name)")
        launch.cancel()
        fixture.faults.release("\(point) \(name)")
        let error = await launch.value
        #expect(error?.kind == .cancelled, "\(error.map(\.description) ?? "none")")
        #expect(await !fixture.containers.contains(name))
        if name != "a" { try await fixture.destroy("a") }
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test func killBeforeTheFork() async throws {
        let fixture = try CoreFixture()
        try await fixture.launch("a")
        fixture.faults.hold("prepare one a.b")
        async let launch = fixture.launchOrDestroy("a.b")
        try await fixture.faults.reached("prepare one a.b")
        #expect(try await fixture.containerizer.kill(CoreFixture.id("a.b"), signal: 9))
        #expect(await fixture.state("a.b") == "destroying")
        fixture.faults.release("prepare one a.b")
        #expect(await launch?.code == "launch.destroyed")
        #expect(try await fixture.wait("a.b") != nil)
        #expect(try await fixture.wait("a.b")?.status == nil)
        try await fixture.destroy("a")
    }

    @Test func nothingIsKnownOfWhatNeverWas() async throws {
        let fixture = try CoreFixture()
        try await fixture.launch("a")
        for name in ["nobody", "nobody.b", "a.never"] {
            let id = CoreFixture.id(name)
            #expect(try await fixture.wait(name) == nil)
            #expect(try await fixture.destroy(name) == nil)
            #expect(try await fixture.containerizer.kill(id, signal: 9) == false)
            let error = await #expect(throws: ContainerError.self) { try await fixture.containerizer.usage(id) }
            #expect(error?.kind == .notFound)
        }
        let error = await #expect(throws: ContainerError.self) {
            try await fixture.containerizer.update(CoreFixture.id("a.never"), requests: [], limits: [:])
        }
        #expect(error?.code == "update.nested")
        try await fixture.destroy("a")
    }

    @Test func statusesAreAnsweredInTheirOrder() async throws {
        let fixture = try CoreFixture()
        try await fixture.launch("a")
        try await fixture.launch("a.b")
        let id = CoreFixture.id("a.b")
        let statuses = try await withThrowingTaskGroup(of: Mesos.ContainerStatus.self) { group in
            for _ in 0..<20 { group.addTask { try await fixture.containerizer.status(id) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.count == 20 && statuses.allSatisfy { $0.containerID == id && $0.executorPid != nil })
        try await fixture.destroy("a")
    }
}

extension Containerizer {
    /// Calls that have come as far as they come without waiting when this returns.
    func beginWaitForTest(_ id: Mesos.ContainerID) -> Task<Int32?, any Error> {
        Task.immediate { try await self.wait(id)?.status }
    }

    func beginDestroyForTest(_ id: Mesos.ContainerID) -> Task<Int32?, any Error> {
        Task.immediate { try await self.destroy(id)?.status }
    }
}
