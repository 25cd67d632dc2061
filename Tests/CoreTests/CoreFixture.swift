// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Logging
import Reactor
import SystemPackage
import TestSupport
import Wire

@testable import Core

/// A containerizer whose launcher, isolators `one` and `two` and provisioner are the test's, on directories of its own.
final class CoreFixture: Sendable {
    let faults = Faults()
    let launcher: FakeLauncher
    let containerizer: Containerizer
    let reactor: Reactor
    private let temporary: TemporaryDirectory
    private let pool = BlockingPool(threads: 2)

    init(_ contributions: [String: Contribution] = [:]) throws {
        temporary = try TemporaryDirectory()
        launcher = FakeLauncher(faults)
        reactor = try Reactor(name: "core")
        try reactor.start()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let housekeeping = try Housekeeping()
        let trash = try Trash(in: temporary.directory, housekeeping: housekeeping, log: log)
        let faults = faults
        containerizer = Containerizer(
            reactor: reactor, pool: pool, launcher: launcher,
            isolators: ["one", "two"].map {
                FakeIsolator(name: $0, faults: faults, contribution: contributions[$0] ?? Contribution())
            },
            provisioner: FakeProvisioner(faults: faults),
            runtime: try RuntimeDirectory(
                path: temporary.path + "/run", trash: trash, housekeeping: housekeeping, spares: 0),
            sandboxes: try Sandboxes(
                path: temporary.path + "/sandboxes", sparePath: temporary.path + "/spares", trash: trash,
                housekeeping: housekeeping, spares: 0),
            housekeeping: housekeeping, configuration: .init(), log: log)
    }

    deinit {
        reactor.stop()
        pool.shutdown()
    }

    static func id(_ text: String) -> Mesos.ContainerID { Mesos.ContainerID(parsing: text) }

    static func config(
        debug: Bool = false, image: Bool = false, user: String? = nil, environment: [String: String] = [:]
    ) -> Mesos.Slave.ContainerConfig {
        let variables = environment.sorted { $0.key < $1.key }.map {
            Mesos.Environment.Variable(name: $0.key, value: $0.value)
        }
        var config = Mesos.Slave.ContainerConfig(
            directory: "", user: user,
            commandInfo: .init(environment: .init(variables: variables), value: "true"))
        if debug { config.containerClass = .debug }
        if image {
            config.containerInfo = .init(
                type: .mesos, mesos: .init(image: .init(type: .docker, docker: .init(name: "image"))))
        }
        return config
    }

    @discardableResult
    func launch(
        _ text: String, _ config: Mesos.Slave.ContainerConfig = config(), environment: [String: String] = [:],
        checkpoint: String? = nil
    ) async throws -> Gantry.V1.LaunchResult {
        try await containerizer.launch(
            Self.id(text), config, environment: environment, pidCheckpointPath: checkpoint)
    }

    /// As the front end launches: what fails is destroyed.
    func launchOrDestroy(_ text: String, _ config: Mesos.Slave.ContainerConfig = config()) async -> ContainerError? {
        do {
            try await launch(text, config)
            return nil
        } catch {
            _ = try? await destroy(text)
            return ContainerError(wrapping: error, step: "")
        }
    }

    @discardableResult
    func destroy(_ text: String) async throws -> Mesos.Slave.ContainerTermination? {
        try await containerizer.destroy(Self.id(text))
    }

    func wait(_ text: String) async throws -> Mesos.Slave.ContainerTermination? {
        try await containerizer.wait(Self.id(text))
    }

    func outcome(_ text: String) async throws -> Promise<Mesos.Slave.ContainerTermination> {
        try await containerizer.outcomeForTest(Self.id(text))
    }

    var containers: [String] {
        get async { await containerizer.containers().map(\.text).sorted() }
    }

    func state(_ text: String) async -> String? {
        try? await containerizer.inspect(Self.id(text)).state
    }

    func runtimePath(_ text: String) -> String {
        temporary.path + "/run/containers/" + text.split(separator: ".").joined(separator: "/containers/")
    }

    func sandboxPath(_ text: String) -> String {
        temporary.path + "/sandboxes/" + text.split(separator: ".").joined(separator: "/containers/")
    }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// What is left of containers in the daemon's directories.
    func leftovers() throws -> [String] {
        var names: [FilePath] = []
        for path: FilePath in ["run/containers", "sandboxes"] {
            names += try temporary.directory.directory(path).names()
        }
        return names.map(\.description)
    }
}
