// SPDX-License-Identifier: Apache-2.0

import Logging
import Reactor
public import Kernel
public import Wire

/// The operations that begin and end no container (containerizer.md 2.5 to 2.12).
extension Containerizer {
    /// All containers of the table, in every state, failed destructions included.
    public func containers() -> [Mesos.ContainerID] {
        Array(table.keys)
    }

    /// Returns when the container has ended; nil when there is none of that name. A nested container's end is known as
    /// long as its root container lives and nobody removes it.
    ///
    /// - Throws: the error of its destruction, or `CancellationError`, which changes nothing for anybody else.
    public func wait(_ id: Mesos.ContainerID) async throws -> Mesos.Slave.ContainerTermination? {
        guard let outcome = table[id]?.outcome else { return try recorded(id) }
        return try await outcome.value()
    }

    /// Sends a signal to the container's first process, which passes it on to the command.
    ///
    /// - Returns: false when there is no such container.
    public func kill(_ id: Mesos.ContainerID, signal: Int32) throws -> Bool {
        guard (1...64).contains(signal) else {
            throw ContainerError(
                .invalidArgument, code: "kill.invalid-signal", "\(signal) is not a signal", step: "kill",
                subject: id.text, hint: "use a number from 1 to 64")
        }
        guard let container = table[id] else { return false }
        guard let process = container.process else {
            beginDestroy(container, prefilled: nil)
            return true
        }
        do {
            try process.signal(signal)
        } catch {
            var error = ContainerError(wrapping: error, step: "kill")
            error.kind = .failedPrecondition
            throw error
        }
        return true
    }

    /// Changes requests and limits of a running top-level container. An unknown or ending one is ignored, because an
    /// update commonly races with the exit.
    public func update(
        _ id: Mesos.ContainerID, requests: [Mesos.Resource], limits: [String: Mesos.Value.Scalar]
    ) async throws {
        guard id.parent == nil else {
            throw ContainerError(
                .invalidArgument, code: "update.nested", "the limits of a nested container are fixed at its launch",
                step: "update", subject: id.text, hint: "update the top-level container \(id.segments[0])")
        }
        try ResourceAmounts.validate(requests: requests, limits: limits)
        guard let container = table[id], container.lifecycle.state != .destroying else {
            log.warning("update ignored: no such container, or it is ending", metadata: ["container": "\(id.text)"])
            return
        }
        container.requests = requests
        container.limits = limits
        // All are waited for before an error is passed on, so that none is still at work when the caller goes on.
        let isolators = isolators(for: id)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for isolator in isolators {
                group.addTask { try await isolator.update(id, requests: requests, limits: limits) }
            }
            try await group.finishAll()
        }
    }

    /// What the container uses and may use. Isolators that fail are left out (containerizer.md 2.6).
    public func usage(_ id: Mesos.ContainerID) async throws -> Mesos.ResourceStatistics {
        let container = try known(id)
        let requests = ResourceAmounts(container.requests)
        let limits = ResourceAmounts(container.limits)
        let now = Double(WallTime.now.nanoseconds) / 1e9
        let parts = await collect(id) { isolator in try await isolator.usage(id) }
        var statistics = Mesos.ResourceStatistics(timestamp: now)
        for part in parts { try statistics.merge(part) }
        statistics.timestamp = now
        try statistics.setLimits(
            requests: requests, limits: limits, enforcesCPURequests: configuration.enforcesCPURequests)
        return statistics
    }

    /// Requests for one container are answered in their order (containerizer.md 2.7).
    public func status(_ id: Mesos.ContainerID) async throws -> Mesos.ContainerStatus {
        let container = try known(id)
        let previous = container.lastStatus
        let pid = container.process?.pid
        let answer = Task(executorPreference: reactor) {
            let parts = await self.collect(id) { isolator in try await isolator.status(id) }
            _ = await previous?.value
            var status = Mesos.ContainerStatus(containerID: id)
            for part in parts { try? status.merge(part) }
            status.executorPid = pid.map { UInt32(bitPattern: $0) }
            return status
        }
        container.lastStatus = answer
        return await answer.value
    }

    /// Deletes what a terminated nested container left, its sandbox too, with all that is nested in it. One that never
    /// was is as good as removed.
    public func remove(_ id: Mesos.ContainerID) async throws {
        guard id.parent != nil else {
            throw ContainerError(
                .invalidArgument, code: "remove.top-level", "\(id.text) is a top-level container", step: "remove",
                subject: id.text,
                hint: "nothing is left of a top-level container that ended; use destroy for a live one")
        }
        if table[id] != nil {
            throw ContainerError(
                .failedPrecondition, code: "remove.not-terminated", "\(id.text) has not ended", step: "remove",
                subject: id.text, hint: "destroy it first")
        }
        guard let root = table[id.root] else {
            throw ContainerError(
                .failedPrecondition, code: "remove.unknown-root", "there is no container \(id.root.text)",
                step: "remove", subject: id.text, hint: "what a container tree left went with its top-level container")
        }
        do {
            try runtime.remove(id)
            let sandbox = root.config.directory
            guard !sandbox.isEmpty, let rest = try sandboxes.removeNested(id, below: sandbox) else { return }
            try await pool.run { _ = try rest.directory.removeTree(rest.name) }
        } catch {
            throw ContainerError(wrapping: error, step: "remove")
        }
    }

    /// Everything that is known of the container; never waits for anything.
    public func inspect(_ id: Mesos.ContainerID) throws -> Gantry.V1.ContainerRecord {
        let container = try known(id)
        var record = Gantry.V1.ContainerRecord()
        record.containerID = id
        record.state = container.lifecycle.state.rawValue
        record.step = container.steps.current
        record.stateSinceUnixNano = container.stateSince.nanoseconds
        record.pid = container.process.map { UInt64(UInt32(bitPattern: $0.pid)) } ?? 0
        record.config = container.config
        record.launchInfo = container.launchInfo
        record.steps = container.steps.records
        record.sandbox = container.config.directory
        record.rootfs = container.config.rootfs ?? ""
        return record
    }

    /// What `attach` needs to follow a container's output. Waits until the launch has come to the point where there is
    /// any.
    public func output(_ id: Mesos.ContainerID) async throws -> ContainerOutput {
        let container = try known(id)
        try await container.forked.value()
        return ContainerOutput(
            sandbox: try sandboxes.open(id, at: container.config.directory), outcome: container.outcome,
            started: container.started)
    }

    /// The answers of all isolators in their order, without those that fail.
    private func collect<Part: Sendable>(
        _ id: Mesos.ContainerID, _ ask: @escaping @Sendable (any Isolator) async throws -> Part?
    ) async -> [Part] {
        let isolators = isolators(for: id)
        return await withTaskGroup(of: (Int, Part?).self) { group in
            for (index, isolator) in isolators.enumerated() {
                group.addTask { [log] in
                    do {
                        return (index, try await ask(isolator))
                    } catch {
                        log.warning("\(isolator.name): \(error)", metadata: ["container": "\(id.text)"])
                        return (index, nil)
                    }
                }
            }
            var parts = [Part?](repeating: nil, count: isolators.count)
            for await (index, part) in group { parts[index] = part }
            return parts.compactMap { $0 }
        }
    }
}

/// Where a container's output goes, and when it ends.
public struct ContainerOutput: Sendable {
    public var sandbox: Directory
    public var outcome: Promise<Mesos.Slave.ContainerTermination>
    /// Nil when the command was executed; the error when init failed before.
    public var started: Promise<ContainerError?>
}

extension ThrowingTaskGroup where ChildTaskResult == Void, Failure == any Error {
    /// Waits for every child, then throws the first error that occurred.
    mutating func finishAll() async throws {
        var first: (any Error)?
        while let result = await nextResult() {
            if case .failure(let error) = result, first == nil { first = error }
        }
        if let first { throw first }
    }
}
