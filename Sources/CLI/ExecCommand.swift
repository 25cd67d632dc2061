// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command inside of a running container.",
        usage: "gantry exec [<options>] <id> [--] <command> [<argument> ...]",
        discussion: """
            The command sees the container's files, processes and networks, and has its limits, its environment and its \
            working directory. It runs as a container of its own, inside of the other one, and ends with it at the \
            latest. Output, signals and exit codes are as of 'gantry run'.

            Examples:
              gantry exec web ps
              gantry exec --env LEVEL=debug web -- /bin/sh -c 'kill -HUP 1'
              gantry exec --user nobody web id
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var process: ProcessOptions

    @Argument(parsing: .captureForPassthrough, help: "The container's id, the command and its arguments.")
    var words: [String] = []

    func validate() throws {
        _ = try request()
    }

    func run() async throws {
        let request = try request()
        guard let id = request.containerID else { return }
        let code = try await connection.withClient { client in
            do {
                let code = try await ForegroundRun(client: client, name: ContainerName(id)).run(request)
                await forget(id, client)
                return code
            } catch {
                await forget(id, client)
                throw error
            }
        }
        try leave(with: code)
    }

    /// Nobody else knows its name. When its container has ended there is nothing to forget.
    private func forget(_ id: Mesos.ContainerID, _ client: GantryClient) async {
        _ = try? await client.containers.remove(Gantry.V1.RemoveRequest(containerID: id))
    }

    func request() throws -> Gantry.V1.LaunchRequest {
        var words = words[...]
        if words.first == "--" { words = words.dropFirst() }
        guard let first = words.popFirst() else { throw ValidationError("Missing the container and the command") }
        if first == "--help" || first == "-h" { throw CleanExit.helpRequest(ExecCommand.self) }
        if first.hasPrefix("-") { throw ValidationError("Unknown option '\(first)'") }
        guard let parent = ContainerName(argument: first) else {
            throw ValidationError("'\(first)' cannot be the name of a container")
        }
        if words.first == "--" { words = words.dropFirst() }
        guard let program = words.first else { throw ValidationError("Missing the command to run in '\(first)'") }

        var command = Mesos.CommandInfo(value: program, shell: false, arguments: Array(words))
        let variables = try process.environment()
        if !variables.isEmpty {
            command.environment = Mesos.Environment(
                variables: variables.map { Mesos.Environment.Variable(name: $0.name, value: $0.value) })
        }
        var config = Mesos.Slave.ContainerConfig(directory: "", user: process.user, commandInfo: command)
        config.containerClass = .debug
        if let capabilities = try process.capabilities() {
            config.containerInfo = Mesos.ContainerInfo(
                type: .mesos,
                linuxInfo: Mesos.LinuxInfo(effectiveCapabilities: Mesos.CapabilityInfo(capabilities: capabilities)))
        }
        let name = ContainerName(Mesos.ContainerID(value: "exec-\(ContainerName.random())")).inside(parent)
        return Gantry.V1.LaunchRequest(containerID: name.id, containerConfig: config)
    }
}
