// SPDX-License-Identifier: Apache-2.0
import Glibc
import RPC
import Reactor
import Services
import Synchronization
import Wire

/// A daemon that keeps its containers in a table and runs nothing: what a container does is what its command says.
///
/// - `echo OUT ERR`: writes both and exits with 0.
/// - `exit N`: exits with N. `signal N`: dies of N. `oom`: hits its memory limit.
/// - `missing`, `denied`, `broken`: the command cannot be executed.
/// - `hang`: ends by the first signal that it gets; by its destruction with 9.
/// - `yes`: writes until it gets a signal.
/// - `stubborn`: takes signals and goes on until it is destroyed.
/// - `refused`: the launch fails.
///
/// A container is forgotten when it ends, as by the real daemon, and a short one ends before its launch is answered.
final class FakeDaemon: Sendable {
    struct Container {
        var id: Mesos.ContainerID
        var words: [String]
        var config: Mesos.Slave.ContainerConfig
        var waiters: [CheckedContinuation<Mesos.Slave.ContainerTermination?, Never>] = []
        /// The launch waits here for somebody who waits for the end.
        var watched: CheckedContinuation<Void, Never>?
        var attached: [CheckedContinuation<Void, Never>] = []
    }

    struct State {
        var containers: [String: Container] = [:]
        /// Commands of containers that have ended: their output can be read for a while.
        var ended: [String: [String]] = [:]
        var signals: [Int32] = []
        var onSignal: CheckedContinuation<Void, Never>?
        /// Containers whose output somebody reads, and those who wait for that.
        var attached: Set<String> = []
        var onAttach: [String: CheckedContinuation<Void, Never>] = [:]
    }

    let state = Mutex(State())
    let path: String
    let reactor: Reactor
    private let server: Server
    private let directory: String?

    /// Listens on a path, or in a directory of its own.
    init(path given: String? = nil) throws {
        if let given {
            directory = nil
            path = given
        } else {
            var template = Array("/tmp/gantry-cli-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw RPCError(.internal, "mkdtemp") }
            let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            directory = made
            path = made + "/gantryd.sock"
        }
        reactor = try Reactor(name: "fake-daemon")
        let services = FakeServices()
        var router = Router()
        FakeContainerizer(services).register(in: &router)
        FakeImages().register(in: &router)
        FakeSystem(services).register(in: &router)
        server = Server(reactor: reactor, router: router)
        services.daemon.withLock { $0 = self }
        try reactor.start()
        try server.listen(unixSocket: path)
    }

    /// Closes all connections, with the containers still there.
    func disconnect() async {
        await server.shutdown()
    }

    func stop() async {
        for id in state.withLock({ $0.containers.values.map(\.id) }) { end(id, Mesos.Slave.ContainerTermination()) }
        await server.shutdown()
        reactor.stop()
        reactor.join()
        if let directory { rmdir(directory) }
    }

    /// Returns when a container has got a signal, or has got one before.
    func firstSignal() async {
        await withCheckedContinuation { continuation in
            let there = state.withLock { state in
                if !state.signals.isEmpty { return true }
                state.onSignal = continuation
                return false
            }
            if there { continuation.resume() }
        }
    }

    /// Returns when somebody reads the output of a container.
    func attached(to name: String) async {
        await withCheckedContinuation { continuation in
            let there = state.withLock { state in
                if state.attached.contains(name) { return true }
                state.onAttach[name] = continuation
                return false
            }
            if there { continuation.resume() }
        }
    }

    func noteAttached(to name: String) {
        let waiting = state.withLock { state in
            state.attached.insert(name)
            return state.onAttach.removeValue(forKey: name)
        }
        waiting?.resume()
    }

    /// Ends a container; false if there is none.
    @discardableResult
    func end(_ id: Mesos.ContainerID, _ termination: Mesos.Slave.ContainerTermination) -> Bool {
        let container = state.withLock { state in
            let container = state.containers.removeValue(forKey: id.value)
            if let container { state.ended[id.value] = container.words }
            return container
        }
        guard let container else { return false }
        for waiter in container.waiters { waiter.resume(returning: termination) }
        for attached in container.attached { attached.resume() }
        return true
    }
}

/// What the services share; the daemon is set before the server listens.
final class FakeServices: Sendable {
    let daemon = Mutex<FakeDaemon?>(nil)

    var current: FakeDaemon {
        get throws {
            guard let daemon = daemon.withLock({ $0 }) else { throw RPCError(.unavailable, "not ready") }
            return daemon
        }
    }
}

func failure(_ status: StatusCode, _ message: String, code: String, step: String = "", hint: String = "") throws
    -> RPCError
{
    let info = Gantry.V1.ErrorInfo(code: code, step: step, hint: hint)
    return RPCError(
        status, message,
        details: [StatusDetail(typeURL: "type.googleapis.com/gantry.v1.ErrorInfo", value: try info.encoded())])
}
