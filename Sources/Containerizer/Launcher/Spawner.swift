// SPDX-License-Identifier: Apache-2.0

public import Core
import Kernel
public import Logging
public import Reactor
import SystemPackage
import Wire

/// gantry-init in its spawner mode: the one child of gantryd that clones containers (DESIGN 1). Requests are answered
/// in their order. When the spawner dies, the requests in flight fail and the next one starts another; containers do
/// not notice.
public actor Spawner {
    public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

    private let reactor: Reactor
    private let program: SealedProgram
    private let recipe: Recipe?
    /// What the child waits for besides requests, to make the stages that were taken.
    private let moment: Moment
    private let log: Logger
    private var running: Instance?

    /// So many stages wait in a quiet moment: a burst of launches finds them, and each costs the kernel some 300 KiB.
    private static let stages: UInt32 = 8

    private final class Moment: Sendable {
        let counter: EventCounter

        init() throws(SystemError) { counter = try EventCounter() }
    }

    private struct Recipe {
        var namespaces: UInt64
        var plan: SealedBytes
    }

    /// The child process itself.
    private final class Child: Sendable {
        let process: ProcessDescriptor

        init(_ process: consuming ProcessDescriptor) {
            self.process = process
        }

        /// Kills it and returns when it is reaped.
        func end(_ reactor: Reactor) async {
            try? process.signal(9)
            _ = try? await reactor.readable(process.raw)
            _ = try? process.reap()
        }
    }

    /// One life of the child, and who waits for its answers.
    private final class Instance {
        let socket: Descriptor
        let child: Child
        /// In the order of the requests; nil for the recipe.
        var waiting: [CheckedContinuation<Cloned, any Error>?] = []

        init(socket: consuming Descriptor, process: consuming ProcessDescriptor) {
            self.socket = socket
            child = Child(process)
        }
    }

    /// A new process; the receiver owns the pidfd.
    struct Cloned: Sendable {
        var pid: Int32
        var pidfd: Int32
    }

    /// - Parameter initPath: the gantry-init binary. It is copied into sealed memory here and never opened again.
    /// - Parameter stage: what the child makes in advance; nil for nothing.
    public init(
        reactor: Reactor, initPath: String, stage: Stage?, housekeeping: Housekeeping, log: Logger
    ) throws {
        self.reactor = reactor
        self.log = log
        recipe = try stage.map { stage in
            Recipe(namespaces: stage.namespaces, plan: try SealedBytes(stage.recipe.encoded(), name: "stage"))
        }
        program = try SealedProgram(copying: initPath)
        let moment = try Moment()
        self.moment = moment
        housekeeping.add { moment.counter.signal() }
    }

    /// - Parameter descriptors: in the order of docs/protocol.md; they stay the caller's.
    func clone(_ request: SpawnRequest, _ descriptors: [Int32]) async throws -> Cloned {
        let instance = try instance()
        do {
            try await send(request.encoded, descriptors, to: instance)
        } catch {
            retire(instance, because: error)
            throw error
        }
        return try await withCheckedThrowingContinuation { instance.waiting.append($0) }
    }

    /// Ends the child. Containers go on.
    public func stop() async {
        guard let instance = running else { return }
        running = nil
        await instance.child.end(reactor)
    }

    private func instance() throws -> Instance {
        if let running { return running }
        let pair = try SocketPair(.packets)
        let process = try program.start(arguments: ["gantry-init", "spawner"], channel: pair.theirs)
        let instance = Instance(socket: pair.keepOurs(), process: process)
        running = instance
        if let recipe {
            // The first message of all, so that the socket takes it.
            let request = SpawnRequest(namespaces: recipe.namespaces, stages: Self.stages)
            _ = try DescriptorPassing.send(
                request.encoded, [recipe.plan.raw, moment.counter.raw], on: instance.socket.raw)
            instance.waiting.append(nil)
        }
        log.debug("spawner started", metadata: ["pid": "\(instance.child.process.pid)"])
        let socket = instance.socket.raw
        Task(executorPreference: reactor) { await self.readAnswers(from: socket) }
        return instance
    }

    /// A full socket means that many requests are queued before this one: wait for a place.
    private func send(_ bytes: [UInt8], _ descriptors: [Int32], to instance: Instance) async throws {
        while try DescriptorPassing.send(bytes, descriptors, on: instance.socket.raw) == false {
            try await reactor.writable(instance.socket.raw)
        }
    }

    /// Runs as long as the instance whose socket this is; then fails whoever still waits.
    private func readAnswers(from socket: Int32) async {
        while let instance = running, instance.socket.raw == socket {
            do {
                guard let (bytes, descriptor) = try DescriptorPassing.receive(atMost: SpawnAnswer.size, on: socket)
                else {
                    try await reactor.readable(socket)
                    continue
                }
                guard !bytes.isEmpty, !instance.waiting.isEmpty else {
                    return retire(instance, because: Self.died)
                }
                let answer = cloned(bytes, descriptor)
                if let waiter = instance.waiting.removeFirst() {
                    waiter.resume(with: answer)
                } else if case .failure(let error) = answer, !(error is NoProcess) {
                    log.error("stages: \(error)")
                }
            } catch {
                return retire(instance, because: error)
            }
        }
    }

    private func cloned(_ bytes: [UInt8], _ descriptor: Int32) -> Result<Cloned, any Error> {
        do {
            let answer = try SpawnAnswer(bytes)
            if answer.helper > 0 { reap(helper: answer.helper) }
            guard descriptor >= 0 else { throw NoProcess() }
            return .success(Cloned(pid: answer.pid, pidfd: descriptor))
        } catch {
            if descriptor >= 0 { _ = Descriptor(owning: descriptor) }
            return .failure(error)
        }
    }

    /// The process between the spawner and a nested container. It is about to end, and as long as it is not reaped the
    /// pid namespace that it is in does not end either.
    private func reap(helper pid: Int32) {
        let (reactor, log) = (reactor, log)
        Task(executorPreference: reactor) {
            do {
                let process = try ProcessDescriptor(pid: pid)
                while try process.reap() == .running { try await reactor.readable(process.raw) }
            } catch {
                log.warning("reaping a helper of the spawner: \(error)", metadata: ["pid": "\(pid)"])
            }
        }
    }

    private func retire(_ instance: Instance, because error: any Error) {
        guard running === instance else { return }
        running = nil
        log.warning("the spawner is gone: \(error)", metadata: ["pid": "\(instance.child.process.pid)"])
        for waiter in instance.waiting { waiter?.resume(throwing: Self.died) }
        instance.waiting = []
        let (child, reactor) = (instance.child, reactor)
        Task(executorPreference: reactor) { await child.end(reactor) }
    }

    /// An answer without a process: the recipe's.
    private struct NoProcess: Error {}

    private static let died = ContainerError(
        .internal, code: "spawner.died", "gantry-init, which clones containers, has died", step: "fork",
        subject: "gantry-init", hint: "try again; a new one is started. If it goes on, see the kernel's log")
}
