// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Reactor
import Wire

/// The table of containers, and the operations on it. One actor on the reactor's thread: code between two suspension
/// points is atomic, and what a client sends is begun in the order of its arrival (containerizer.md 0.2).
///
/// `launch` is in Launch.swift, `destroy` in Destroy.swift, the start-up sweep in Recover.swift.
public actor Containerizer {
    public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

    let reactor: Reactor
    let pool: BlockingPool
    let launcher: any Launcher
    /// In the order of `prepare`; cleanup goes the other way.
    let isolators: [any Isolator]
    let stage: Stage?
    let provisioner: any Provisioner
    let runtime: RuntimeDirectory
    let sandboxes: Sandboxes
    let housekeeping: Housekeeping
    let configuration: Configuration
    let log: Logger

    var table: [Mesos.ContainerID: Container] = [:]

    public struct Configuration: Sendable {
        /// Where the sandbox shows inside a container that has a root of its own.
        public var sandboxMountPoint: String
        /// A cpu request is a hard limit too (CFS quota).
        public var enforcesCPURequests: Bool

        public init(sandboxMountPoint: String = "/mnt/mesos/sandbox", enforcesCPURequests: Bool = false) {
            self.sandboxMountPoint = sandboxMountPoint
            self.enforcesCPURequests = enforcesCPURequests
        }
    }

    public init(
        reactor: Reactor, pool: BlockingPool, launcher: any Launcher, isolators: [any Isolator],
        provisioner: any Provisioner,
        runtime: RuntimeDirectory, sandboxes: Sandboxes, housekeeping: Housekeeping, configuration: Configuration,
        log: Logger
    ) {
        self.reactor = reactor
        self.pool = pool
        self.launcher = launcher
        self.isolators = isolators
        stage = Stage(of: isolators)
        self.provisioner = provisioner
        self.runtime = runtime
        self.sandboxes = sandboxes
        self.housekeeping = housekeeping
        self.configuration = configuration
        self.log = log
    }

    /// The container, or `container.unknown`.
    func known(_ id: Mesos.ContainerID) throws(ContainerError) -> Container {
        guard let container = table[id] else { throw Self.unknown(id) }
        return container
    }

    static func unknown(_ id: Mesos.ContainerID) -> ContainerError {
        ContainerError(
            .notFound, code: "container.unknown", "there is no container \(id.text)", subject: id.text,
            hint: "gantry ps lists the containers; a container that has ended is gone")
    }

    /// Runs one step of a pipeline and records it, its time and its error in the container's step log. The body runs
    /// on this actor.
    func step<Value: Sendable>(
        _ pipeline: StepLog.Pipeline, _ name: String, of container: Container,
        _ body: () async throws -> Value
    ) async throws(ContainerError) -> Value {
        container.steps.begin(pipeline, name)
        housekeeping.disturb()
        do {
            let value = try await body()
            container.steps.end(name, nil)
            return value
        } catch {
            let error = ContainerError(wrapping: error, step: name)
            container.steps.end(name, error)
            throw error
        }
    }

    /// What the isolators of `--isolation` do for this container.
    func isolators(for id: Mesos.ContainerID) -> [any Isolator] {
        id.parent == nil ? isolators : isolators.filter(\.supportsNesting)
    }
}
