// SPDX-License-Identifier: Apache-2.0

import Logging
public import Wire

/// Destroy: from any state to nothing left (containerizer.md 2.9 and 3.11).
extension Containerizer {
    /// Ends the container and everything in it. A call that finds a destruction under way joins it; one that finds a
    /// failed one tries again.
    ///
    /// - Returns: how the container ended; nil when there is none of that name.
    /// - Throws: what failed, by step. Cancelling the caller does not stop the destruction.
    @discardableResult
    public func destroy(_ id: Mesos.ContainerID) async throws -> Mesos.Slave.ContainerTermination? {
        guard let container = table[id] else { return try recorded(id) }
        beginDestroy(container, prefilled: nil)
        return try await container.outcome.value()
    }

    /// Its children are destroyed too, with the same knowledge; from here on none can be launched in it.
    ///
    /// - Parameter prefilled: what the event that ends the container knows; only the first one's counts.
    func beginDestroy(_ container: Container, prefilled: Mesos.Slave.ContainerTermination?) {
        switch container.lifecycle.onDestroy() {
        case .join: return
        case .begin: container.prefilled = prefilled
        case .retry: container.outcome = Promise()
        }
        container.stateSince = .now
        for child in container.children.compactMap({ table[$0] }) { beginDestroy(child, prefilled: prefilled) }
        let id = container.id
        container.destruction = Task(executorPreference: reactor) { await self.tearDown(id) }
    }

    /// The pipeline. Every step may run again, and a failed one stops only what depends on it: nothing is cleaned
    /// while a process may still use it.
    private func tearDown(_ id: Mesos.ContainerID) async {
        guard let container = table[id] else { return }
        container.launch?.cancel()
        _ = await container.launch?.result
        for watch in container.watches { watch.cancel() }

        var failures = await childrenEnded(container)
        if failures.isEmpty { await attempt("kill", container, &failures) { try await launcher.destroy(id) } }
        if failures.isEmpty {
            let termination = await termination(of: container)
            await release(container, &failures)
            if failures.isEmpty { return finish(container, termination) }
        }
        container.lifecycle.onDestroyFailed()
        container.stateSince = .now
        let failure = ContainerError(destruction: id, failures)
        log.error("\(failure)", metadata: ["container": "\(id.text)"])
        container.outcome.settle(.failure(failure))
    }

    /// Waits for the end of everything in the container.
    ///
    /// - Returns: the errors of what could not be destroyed. Then the container stays as well: it holds what its
    ///   children live on.
    private func childrenEnded(_ container: Container) async -> [ContainerError] {
        var failures: [ContainerError] = []
        for child in container.children.sorted(by: { $0.value < $1.value }) {
            guard let record = table[child] else { continue }
            await attempt("destroy \(child.text)", container, &failures) { _ = try await record.outcome.value() }
        }
        return failures
    }

    /// No process is left. Gives back everything in the reverse order of the launch, each whatever the others did.
    private func release(_ container: Container, _ failures: inout [ContainerError]) async {
        let id = container.id
        if container.lifecycle.isolatorsWereAsked {
            for isolator in isolators(for: id).reversed() {
                await attempt("cleanup (isolator \(isolator.name))", container, &failures) {
                    try await isolator.cleanup(id)
                }
            }
        }
        await attempt("cleanup (launcher)", container, &failures) { try await launcher.cleanup(id) }
        await attempt("cleanup (provisioner)", container, &failures) { _ = try await provisioner.destroy(id) }
        guard failures.isEmpty, id.parent == nil else { return }
        // The runtime directory goes last: while it is there, a daemon that starts knows that something may be left.
        await attempt("remove directories", container, &failures) {
            if container.ownsSandbox { try sandboxes.remove(id) }
            try runtime.remove(id)
        }
    }

    private func attempt(
        _ name: String, _ container: Container, _ failures: inout [ContainerError], _ body: () async throws -> Void
    ) async {
        do {
            try await step(.destroy, name, of: container, body)
        } catch {
            failures.append(error)
        }
    }

    /// How the container ended: the event that began the destruction, else a limit that was broken just before the
    /// exit, else what kept init from executing the command.
    private func termination(of container: Container) async -> Mesos.Slave.ContainerTermination {
        let status = try? await container.exit?.value
        var termination = container.prefilled ?? Mesos.Slave.ContainerTermination()
        if container.prefilled == nil, let limitation = await brokenLimit(container.id) {
            termination = Mesos.Slave.ContainerTermination(limitation)
        }
        // Init's end of the control socket is closed by now, so this is settled or about to be.
        if container.lifecycle.destroyedIn == .running, let failure = try? await container.started.value() {
            termination.message = termination.message ?? failure.description
        }
        termination.status = status ?? nil
        return termination
    }

    /// How a nested container ended can be asked until it is removed, or its root container ends.
    private func record(_ termination: Mesos.Slave.ContainerTermination, of id: Mesos.ContainerID) {
        do {
            try runtime.write(termination, to: .termination, of: id)
        } catch {
            log.error("recording the end: \(error)", metadata: ["container": "\(id.text)"])
        }
    }

    /// How a nested container that is no more had ended.
    func recorded(_ id: Mesos.ContainerID) throws -> Mesos.Slave.ContainerTermination? {
        id.parent == nil ? nil : try runtime.termination(of: id)
    }

    private func brokenLimit(_ id: Mesos.ContainerID) async -> Mesos.Slave.ContainerLimitation? {
        for isolator in isolators(for: id) where isolator.watches {
            if let limitation = await isolator.limitation(id) { return limitation }
        }
        return nil
    }

    /// Nothing is left, and whoever sees the termination sees that.
    private func finish(_ container: Container, _ termination: Mesos.Slave.ContainerTermination) {
        container.started.settle(.success(nil))
        if container.id.parent != nil { record(termination, of: container.id) }
        erase(container)
        log.info(
            "ended",
            metadata: [
                "container": "\(container.id.text)", "status": "\(termination.status.map(String.init) ?? "none")",
            ])
        log.debug("steps", metadata: ["container": "\(container.id.text)", "took": "\(container.steps.summary)"])
        container.outcome.settle(.success(termination))
    }
}

extension ContainerError {
    /// One error for all that failed in a destruction; the first one gives code and subject.
    init(destruction id: Mesos.ContainerID, _ failures: [ContainerError]) {
        let first = failures.first
        self.init(
            .internal, code: first?.code ?? "destroy.failed",
            "cannot destroy \(id.text): " + failures.map(\.description).joined(separator: "; "),
            step: first?.step ?? "destroy", subject: first?.subject ?? id.text, errno: first?.errno ?? 0,
            hint: first.map { $0.hint.isEmpty ? "mend that, then destroy \(id.text) again" : $0.hint } ?? "")
    }
}
