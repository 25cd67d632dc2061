// SPDX-License-Identifier: Apache-2.0
import RPC
import Services
import Synchronization
import Wire

struct FakeContainerizer: ContainerizerService {
    let services: FakeServices

    init(_ services: FakeServices) {
        self.services = services
    }

    func launch(_ request: Gantry.V1.LaunchRequest, context: CallContext) async throws -> Gantry.V1.LaunchResponse {
        guard let id = request.containerID, let config = request.containerConfig else {
            throw RPCError(.invalidArgument, "incomplete")
        }
        let daemon = try services.current
        let words = config.commandInfo.arguments
        let isNew = daemon.state.withLock { state in
            if state.containers[id.value] != nil { return false }
            state.containers[id.value] = FakeDaemon.Container(id: id, words: words, config: config)
            return true
        }
        if !isNew { return Gantry.V1.LaunchResponse(result: .alreadyLaunched) }
        if words.first == "refused" {
            daemon.end(id, Mesos.Slave.ContainerTermination())
            throw try failure(
                .internal, "cannot start \(id.value): EINVAL", code: "mount.overlay.too-many-layers",
                step: "provisioning", hint: "squash it")
        }
        if let termination = termination(of: words) {
            // Answers when somebody waits: a client that waits only after this answer would wait for ever.
            await withCheckedContinuation { continuation in
                let watched = daemon.state.withLock { state in
                    if state.containers[id.value]?.waiters.isEmpty == false { return true }
                    state.containers[id.value]?.watched = continuation
                    return false
                }
                if watched { continuation.resume() }
            }
            daemon.end(id, termination)
        }
        return Gantry.V1.LaunchResponse(result: .success)
    }

    /// nil: it goes on until it is ended.
    private func termination(of words: [String]) -> Mesos.Slave.ContainerTermination? {
        let number = words.count > 1 ? Int32(words[1]) ?? 0 : 0
        switch words.first {
        case "hang", "stubborn", "yes": return nil
        case "exit": return Mesos.Slave.ContainerTermination(status: number << 8)
        case "signal": return Mesos.Slave.ContainerTermination(status: number)
        case "missing", "denied", "broken": return Mesos.Slave.ContainerTermination(status: 256)
        case "oom":
            return Mesos.Slave.ContainerTermination(
                message: "limit 32 MiB, peak 32 MiB", status: 9, state: .taskFailed, reason: .containerLimitationMemory)
        default: return Mesos.Slave.ContainerTermination(status: 0)
        }
    }

    func attach(
        _ requests: RequestStream<Gantry.V1.AttachRequest>, responses: ResponseStream<Mesos.Agent.ProcessIO>,
        context: CallContext
    ) async throws {
        guard case .start(let start)? = try await requests.next()?.kind, let id = start.containerID?.value else {
            throw RPCError(.invalidArgument, "no start")
        }
        let daemon = try services.current
        let words = daemon.state.withLock { $0.containers[id]?.words ?? $0.ended[id] }
        guard let words else { throw RPCError(.notFound, "there is no container \(id)") }
        switch words.first {
        case "missing": throw try failure(.failedPrecondition, "no such command", code: "init.execute.not-found")
        case "denied": throw try failure(.failedPrecondition, "not executable", code: "init.execute.denied")
        case "broken": throw try failure(.failedPrecondition, "no mount", code: "init.mount.failed", step: "mount")
        case "echo":
            try await responses.send(Self.data(.stdout, words.count > 1 ? words[1] : ""))
            try await responses.send(Self.data(.stderr, words.count > 2 ? words[2] : ""))
        case "yes":
            // Goes on until its reader is gone, which arrives as a signal.
            while daemon.state.withLock({ $0.containers[id] != nil }) {
                try await responses.send(Self.data(.stdout, String(repeating: "y\n", count: 32 << 10)))
            }
        case "hang", "stubborn":
            try await responses.send(Self.data(.stdout, "up\n"))
            daemon.noteAttached(to: id)
            await withCheckedContinuation { continuation in
                let runs = daemon.state.withLock { state in
                    state.containers[id]?.attached.append(continuation)
                    return state.containers[id] != nil
                }
                if !runs { continuation.resume() }
            }
        default: break
        }
    }

    private static func data(_ type: Mesos.Agent.ProcessIO.Data.TypeEnum, _ text: String) -> Mesos.Agent.ProcessIO {
        Mesos.Agent.ProcessIO(type: .data, data: Mesos.Agent.ProcessIO.Data(type: type, data: Array(text.utf8)))
    }

    func wait(_ request: Gantry.V1.WaitRequest, context: CallContext) async throws -> Gantry.V1.WaitResponse {
        let daemon = try services.current
        let termination = await withCheckedContinuation { continuation in
            let (exists, watched) = daemon.state.withLock { state in
                let id = request.containerID?.value ?? ""
                state.containers[id]?.waiters.append(continuation)
                let watched = state.containers[id]?.watched
                state.containers[id]?.watched = nil
                return (state.containers[id] != nil, watched)
            }
            if !exists { continuation.resume(returning: nil) }
            watched?.resume()
        }
        return Gantry.V1.WaitResponse(termination: termination)
    }

    func destroy(_ request: Gantry.V1.DestroyRequest, context: CallContext) async throws -> Gantry.V1.DestroyResponse {
        let termination = Mesos.Slave.ContainerTermination(status: 9)
        let id = request.containerID ?? Mesos.ContainerID(value: "")
        return Gantry.V1.DestroyResponse(termination: try services.current.end(id, termination) ? termination : nil)
    }

    func kill(_ request: Gantry.V1.KillRequest, context: CallContext) async throws -> Gantry.V1.KillResponse {
        let daemon = try services.current
        guard let id = request.containerID else { throw RPCError(.invalidArgument, "no id") }
        let (words, waiting) = daemon.state.withLock { state in
            state.signals.append(request.signal)
            let waiting = state.onSignal
            state.onSignal = nil
            return (state.containers[id.value]?.words, waiting)
        }
        waiting?.resume()
        guard let words else { return Gantry.V1.KillResponse(found: false) }
        if words.first == "hang" || words.first == "yes" {
            daemon.end(id, Mesos.Slave.ContainerTermination(status: request.signal))
        }
        return Gantry.V1.KillResponse(found: true)
    }

    func containers(
        _ request: Gantry.V1.ContainersRequest, context: CallContext
    ) async throws -> Gantry.V1.ContainersResponse {
        let ids = try services.current.state.withLock { $0.containers.values.map(\.id) }
        return Gantry.V1.ContainersResponse(containerIDs: ids.sorted { $0.value < $1.value })
    }

    func usage(_ request: Gantry.V1.UsageRequest, context: CallContext) async throws -> Gantry.V1.UsageResponse {
        let id = request.containerID?.value ?? ""
        guard try services.current.state.withLock({ $0.containers[id] }) != nil else {
            throw RPCError(.notFound, "there is no container \(id)")
        }
        return Gantry.V1.UsageResponse(
            statistics: Mesos.ResourceStatistics(timestamp: 2, cpusUserTimeSecs: 1, processes: 2, memTotalBytes: 1024))
    }
}

extension FakeContainerizer {
    func recover(_ request: Gantry.V1.RecoverRequest, context: CallContext) async throws -> Gantry.V1.RecoverResponse {
        throw RPCError(.unimplemented, "Recover")
    }

    func update(_ request: Gantry.V1.UpdateRequest, context: CallContext) async throws -> Gantry.V1.UpdateResponse {
        throw RPCError(.unimplemented, "Update")
    }

    func status(_ request: Gantry.V1.StatusRequest, context: CallContext) async throws -> Gantry.V1.StatusResponse {
        throw RPCError(.unimplemented, "Status")
    }

    func remove(_ request: Gantry.V1.RemoveRequest, context: CallContext) async throws -> Gantry.V1.RemoveResponse {
        throw RPCError(.unimplemented, "Remove")
    }

    func pruneImages(
        _ request: Gantry.V1.PruneImagesRequest, context: CallContext
    ) async throws -> Gantry.V1.PruneImagesResponse {
        throw RPCError(.unimplemented, "PruneImages")
    }
}
