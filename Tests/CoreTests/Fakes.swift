// SPDX-License-Identifier: Apache-2.0

import Kernel
import SystemPackage
import Synchronization
import Wire

@testable import Core

/// Where a test lets something fail or wait, by a name such as `prepare one`.
final class Faults: Sendable {
    struct Injected: Error, Equatable {
        var at: String
    }

    private struct State {
        var failing: Set<String> = []
        var held: [String: Promise<Void>] = [:]
        var reached: [String: Promise<Void>] = [:]
        var log: [String] = []
    }

    private let state = Mutex(State())

    func fail(_ point: String) { state.withLock { _ = $0.failing.insert(point) } }
    func mend(_ point: String) { state.withLock { _ = $0.failing.remove(point) } }

    /// What comes to the point waits there until `release`.
    func hold(_ point: String) { state.withLock { $0.held[point] = Promise() } }
    func release(_ point: String) { state.withLock { $0.held[point] }?.settle(.success(())) }

    /// Everything that was passed, in order.
    var log: [String] { state.withLock { $0.log } }

    /// Returns when something has come to the point.
    func reached(_ point: String) async throws {
        let promise = state.withLock { state in
            if state.log.contains(point) { return Promise<Void>?.none }
            let promise = state.reached[point] ?? Promise()
            state.reached[point] = promise
            return promise
        }
        try await promise?.value()
    }

    /// Comes to a point. A wait ends when its task is cancelled, if `cancellable`.
    func pass(_ point: String, cancellable: Bool = false) async throws {
        let (reached, held) = state.withLock { state in
            state.log.append(point)
            return (state.reached.removeValue(forKey: point), state.held[point])
        }
        reached?.settle(.success(()))
        if let held {
            if cancellable { try await held.value() } else { try await Task { try await held.value() }.value }
        }
        if state.withLock({ $0.failing.contains(point) }) { throw Injected(at: point) }
    }
}

/// A first process that exists in the test only. It ends when it is killed, or when the test says so.
final class FakeProcess: ContainerProcess {
    let pid: Int32
    let id: Mesos.ContainerID
    let faults: Faults
    let statusFile: String
    /// Settled with the wait status.
    let ended = Promise<Int32?>()
    private let started = Promise<Gantry.Init.V1.Report?>()

    init(_ id: Mesos.ContainerID, pid: Int32, _ faults: Faults, statusFile: String) {
        (self.id, self.pid, self.faults, self.statusFile) = (id, pid, faults, statusFile)
    }

    func release() async throws {
        try await faults.pass("release \(id.text)")
        started.settle(.success(nil))
    }

    func report() async throws -> Gantry.Init.V1.Report? {
        try await faults.pass("start \(id.text)")
        return try await started.value()
    }

    func exit() async throws -> Int32? { try await ended.value() }

    func signal(_ number: Int32) throws {
        guard ended.settled == nil else { throw SystemError("pidfd_send_signal", "pid \(pid)", .noSuchProcess) }
        if number != 0 { end(number) }
    }

    /// The command ends with this wait status, which init writes down unless it was killed.
    func end(_ status: Int32) {
        if status != 9 { try? RuntimeDirectory.write(Array("\(status)".utf8), to: statusFile) }
        started.settle(.success(nil))
        ended.settle(.success(status == 9 ? 9 : 0))
    }
}

final class FakeLauncher: Launcher {
    let faults: Faults
    private let processes = Mutex<[Mesos.ContainerID: FakeProcess]>([:])
    private let requests = Mutex<[Mesos.ContainerID: ForkRequest]>([:])

    init(_ faults: Faults) { self.faults = faults }

    func process(_ id: Mesos.ContainerID) -> FakeProcess? { processes.withLock { $0[id] } }
    func request(_ id: Mesos.ContainerID) -> ForkRequest? { requests.withLock { $0[id] } }

    func fork(_ id: Mesos.ContainerID, _ request: ForkRequest) async throws -> any ContainerProcess {
        try await faults.pass("fork \(id.text)")
        requests.withLock { $0[id] = request }
        return processes.withLock { processes in
            let process = FakeProcess(id, pid: Int32(1000 + processes.count), faults, statusFile: request.statusFile)
            processes[id] = process
            return process
        }
    }

    func destroy(_ id: Mesos.ContainerID) async throws {
        try await faults.pass("kill \(id.text)")
        process(id)?.end(9)
    }

    func cleanup(_ id: Mesos.ContainerID) async throws { try await faults.pass("cleanup launcher \(id.text)") }
    func recover() async throws -> [Mesos.ContainerID] { [] }
}

struct FakeIsolator: Isolator {
    let name: String
    let faults: Faults
    var contribution = Contribution()
    var watches: Bool { true }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        try await faults.pass("prepare \(name) \(id.text)")
        return contribution
    }

    func isolate(_ id: Mesos.ContainerID, pid: Int32) async throws {
        try await faults.pass("isolate \(name) \(id.text)")
    }

    /// Ends when the test lets it fail or releases it.
    func watch(_ id: Mesos.ContainerID) async throws -> Mesos.Slave.ContainerLimitation {
        do {
            try await faults.pass("watch \(name) \(id.text)", cancellable: true)
        } catch is Faults.Injected {
            return .init(message: "too much", reason: .containerLimitationMemory)
        }
        try await pendUntilCancelled()
    }

    func cleanup(_ id: Mesos.ContainerID) async throws { try await faults.pass("cleanup \(name) \(id.text)") }
}

struct FakeProvisioner: Provisioner {
    let faults: Faults

    func provision(_ id: Mesos.ContainerID, _ image: Mesos.Image) async throws -> Provisioned {
        try await faults.pass("provision \(id.text)", cancellable: true)
        return Provisioned(
            rootfs: "/rootfs/\(id.text)",
            root: .bindRoot(.init(target: PlanText.trusted("/rootfs/\(id.text)"))), ephemeralVolumes: [])
    }

    func openRoot(_ id: Mesos.ContainerID) async throws -> Directory { try Directory("/") }

    func destroy(_ id: Mesos.ContainerID) async throws -> Bool {
        try await faults.pass("cleanup provisioner \(id.text)")
        return true
    }

    func recover(known: [Mesos.ContainerID]) async throws {}
}
