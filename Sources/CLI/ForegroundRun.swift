// SPDX-License-Identifier: Apache-2.0
internal import Client
internal import Glibc
internal import Services
internal import Wire

/// A container that this process stands for: its output is ours, our signals are its, its end is our exit code.
struct ForegroundRun {
    let client: GantryClient
    /// A connection of its own for signals, made when it is needed: the other one stands still while nobody takes the
    /// container's output from us.
    let control: GantryClient
    let name: ContainerName

    init(client: GantryClient, name: ContainerName) {
        self.client = client
        self.name = name
        control = GantryClient(host: client.host)
    }

    /// Launches, and returns the exit code when nothing is left of the container.
    func run(_ request: Gantry.V1.LaunchRequest) async throws -> Int32 {
        // Before the launch: an interrupt must never leave a container behind.
        let signals = try SignalRelay.start([SIGINT, SIGTERM, SIGHUP, SIGQUIT])
        // A connection that cannot be made has nothing to interrupt.
        let containers = try await client.containers
        let forwarding = Task { await forward(signals) }
        defer {
            forwarding.cancel()
            control.close()
        }

        let container = try await client.launch(request)
        try container.requireStarted(name)
        let termination = try await follow(container, containers)
        if let failure = termination.failure(of: name) { Output.standardError.report(failure) }
        return termination.exitCode
    }

    /// Copies the output, and returns how the container ended.
    private func follow(
        _ container: LaunchedContainer, _ containers: ContainerizerClient
    ) async throws -> Mesos.Slave.ContainerTermination {
        do {
            try await OutputCopy(containers: containers, id: name.id).run {
                // What the kernel does to a program that writes into a pipe without a reader. It may ignore that, and
                // its exit code still counts.
                await send(SIGPIPE)
            }
            if let termination = try await container.termination() { return termination }
            throw Failure("\(name) ended, but the daemon does not know how", hint: "look at its log")
        } catch let failure as Failure {
            throw failure
        } catch {
            let error = ClientError(error)
            // The command never started, so there is an end to wait for; it adds nothing to what we know.
            if error.info?.code.hasPrefix("init.") == true { _ = try? await container.termination() }
            if error.kind == .tryAgain {
                // Not "try again": the daemon may be back in a moment, and the container was never gone.
                throw Failure(
                    "lost the daemon while \(name) was running: \(error.message)",
                    hint: "the container may go on: 'gantry ps' lists it, 'gantry wait \(name)' waits for it")
            }
            throw error
        }
    }

    /// Hands each signal on. The second interrupt of an impatient user destroys the container.
    private func forward(_ signals: AsyncStream<Int32>) async {
        var interrupts = 0
        for await signal in signals {
            if signal == SIGINT { interrupts += 1 }
            if interrupts > 1 {
                _ = try? await control.containers.destroy(Gantry.V1.DestroyRequest(containerID: name.id))
            } else {
                await send(signal)
            }
        }
    }

    /// The container may be gone by now; and of a daemon that is gone, those tell who launch and wait.
    private func send(_ signal: Int32) async {
        _ = try? await control.containers.kill(Gantry.V1.KillRequest(containerID: name.id, signal: signal))
    }
}

extension LaunchedContainer {
    /// Throws unless the container was started by this launch.
    func requireStarted(_ name: ContainerName) throws {
        switch result {
        case .success:
            return
        case .alreadyLaunched:
            throw Failure(
                "there is a container \(name) already",
                hint: "choose another --name, or end it with 'gantry destroy \(name)'")
        case .notSupported:
            throw Failure("the daemon does not run containers of this type")
        default:
            throw Failure("the daemon answered the launch of \(name) with result \(result.rawValue)")
        }
    }
}
