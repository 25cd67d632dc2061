// SPDX-License-Identifier: Apache-2.0

import Core
import Images
import Isolators
import Kernel
import Launcher
public import Logging
import RPC
import Reactor
import Services

/// The composition root: the only place that knows which launcher, which isolators and which store an instance has.
public final class GantryDaemon: Sendable {
    private let reactor: Reactor
    private let pool: BlockingPool
    private let spawner: Spawner
    private let containerizer: Containerizer
    private let images: ImageStore
    private let trash: Trash
    private let server: Server
    private let readiness = Readiness()
    private let configuration: DaemonConfiguration
    private let lock: InstanceLock
    /// What to serve on instead of the configured path, if the daemon was started with sockets.
    private let inherited: [UnixListener.Inherited]
    private let log: Logger
    /// One line about what this instance stands on.
    public let summary: String

    /// Puts an instance together; nothing is served yet.
    ///
    /// - Throws: `ContainerError` or `SystemError`; each is a reason not to start.
    public init(_ configuration: DaemonConfiguration, log: Logger) throws {
        self.configuration = configuration
        self.log = log
        // First of all: no child may get them.
        inherited = try InheritedSockets.take()
        try StateDirectories.prepare(configuration.root, log: log)
        lock = try InstanceLock(root: configuration.root)

        reactor = try Reactor(name: "gantryd")
        pool = BlockingPool()
        let layout = try CgroupLayout(root: configuration.cgroupRoot)
        let mounts = try CgroupMounts.detect()
        var settings = IsolatorSettings(cgroupLayout: layout)
        settings.sandboxDirectory = configuration.core.sandboxMountPoint
        settings.enforcesCPURequests = configuration.core.enforcesCPURequests
        let isolators = try IsolatorRegistry.make(
            configuration.isolation,
            IsolatorEnvironment(reactor: reactor, pool: pool, cgroups: mounts, settings: settings))

        let housekeeping = try Housekeeping()
        spawner = try Spawner(
            reactor: reactor, initPath: configuration.initPath, stage: Stage(of: isolators),
            housekeeping: housekeeping, log: log)
        trash = try Trash(in: Directory(configuration.root), housekeeping: housekeeping, log: log)
        let launcher = try LinuxLauncher(
            reactor: reactor, pool: pool, spawner: spawner, mounts: mounts, layout: layout)
        images = try ImageStore(path: configuration.root + "/images", pool: pool)
        containerizer = Containerizer(
            reactor: reactor, pool: pool, launcher: launcher, isolators: isolators,
            provisioner: try OverlayProvisioner(
                path: configuration.root + "/provisioner", store: images, pool: pool, trash: trash,
                housekeeping: housekeeping,
                mountPoints: ["proc", "sys", "dev", "tmp", configuration.core.sandboxMountPoint]),
            runtime: try RuntimeDirectory(path: configuration.root + "/run", trash: trash, housekeeping: housekeeping),
            sandboxes: try Sandboxes(
                path: configuration.root + "/sandboxes", sparePath: configuration.root + "/spares", trash: trash,
                housekeeping: housekeeping),
            housekeeping: housekeeping, configuration: configuration.core,
            log: log)

        var router = Router()
        ContainerizerHandlers(containerizer: containerizer, reactor: reactor).register(in: &router)
        ImageHandlers(store: images).register(in: &router)
        let system = SystemHandlers(
            containerizer: containerizer, readiness: readiness, features: isolators.map(\.name))
        system.register(in: &router) {
            $0.version = .immediate(system.version)
            $0.health = .immediate(system.health)
        }
        ReflectionHandlers([.containerizer, .images, .system, .reflection]).register(in: &router)
        server = Server(
            reactor: reactor, router: router,
            interceptors: [CallLog.interceptor(log), PeerPolicy().interceptor, readiness.interceptor])
        summary = "root \(configuration.root), cgroup \(layout.root) (\(mounts.mode))"
    }

    /// Starts to serve, destroys what an earlier daemon left, and returns when every call is answered.
    public func start() async throws {
        try reactor.start()
        if inherited.isEmpty { try StateDirectories.prepareSocketDirectory(configuration.socket) }
        let configuration = configuration
        try await reactor.task {
            for socket in self.inherited { self.server.listen(inherited: socket) }
            if self.inherited.isEmpty { try self.server.listen(unixSocket: configuration.socket) }
            let found = try await self.containerizer.recover()
            if found > 0 { self.log.notice("recovered", metadata: ["destroyed": "\(found)"]) }
            self.readiness.becomeReady()
        }.value
    }

    /// A clean stop: no more calls, no container left, no child left.
    public func stop() async {
        let work = reactor.task {
            await self.containerizer.destroyAll()
            await self.server.drain(deadline: .now + .seconds(5))
            await self.server.shutdown()
            await self.spawner.stop()
        }
        _ = await work.result
        reactor.stop()
        reactor.join()
        images.shutdown()
        trash.empty()
        pool.shutdown()
        StateDirectories.removeOwnCgroups(configuration.cgroupRoot)
    }
}
