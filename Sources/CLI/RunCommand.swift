// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Glibc
internal import Wire

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start a container and follow it to its end.",
        usage: "gantry run [<options>] <image> <command> [<argument> ...]",
        discussion: """
            Everything after the image belongs to the command. Its output appears here as it is written, signals that \
            reach gantry reach the command, and gantry exits as the command does. Interrupt twice to destroy the \
            container. If gantry itself is killed the container goes on.

            Exit codes: the command's own; 128+n if signal n ended it; 125 if gantry failed; 126 if the command \
            cannot be executed; 127 if there is no such command.

            Examples:
              gantry run debian:12 /bin/echo hello
              gantry run --memory 32m --cpus 0.5 --pids 64 debian:12 /bin/sh -c 'exit 3'
              gantry run --detach --name web --env PORT=8080 debian:12 /bin/server
              gantry run --cap CHOWN,KILL --user 1000:1000 debian:12 /bin/sh
              gantry run --detach --parent web --name check debian:12 /bin/check
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var process: ProcessOptions
    @OptionGroup var place: PlaceOptions

    @Option(help: ArgumentHelp("The container's id (default: a random one).", valueName: "id"))
    var name: ContainerName?

    @Option(help: ArgumentHelp("Run it inside of this container, as PARENT.NAME.", valueName: "id"))
    var parent: ContainerName?

    @Option(help: ArgumentHelp("Keep the container's files in this directory of the host.", valueName: "dir"))
    var sandbox: String?

    @Flag(name: [.customShort("d"), .long], help: "Print the id and return when the container runs.")
    var detach = false

    @Argument(parsing: .captureForPassthrough, help: "The image, the command and its arguments.")
    var words: [String] = []

    func validate() throws {
        _ = try request()
    }

    func request() throws -> RunRequest {
        // The parser keeps a `--` that ends the options.
        let words = words.first == "--" ? words.dropFirst() : words[...]
        guard let image = words.first else { throw ValidationError("Missing the image and the command") }
        // The parser stops at the first word that it takes for the image, which may be a request for help.
        if image == "--help" || image == "-h" { throw CleanExit.helpRequest(RunCommand.self) }
        if image.hasPrefix("-") { throw ValidationError("Unknown option '\(image)'") }
        if words.count < 2 { throw ValidationError("Missing the command to run in '\(image)'") }
        if let sandbox, !sandbox.hasPrefix("/") { throw ValidationError("--sandbox must be an absolute path") }
        var name = name ?? .random()
        if let parent { name = name.inside(parent) }
        var request = RunRequest(name: name, image: image, command: Array(words.dropFirst()))
        request.memory = limits.memory
        request.processors = limits.cpus
        request.processes = limits.pids
        request.environment = try process.environment()
        request.workingDirectory = place.workdir
        request.user = process.user
        request.hostname = place.hostname
        request.capabilities = try process.capabilities()
        request.sandbox = sandbox
        return request
    }

    func run() async throws {
        let request = try request()
        let code = try await connection.withClient { client in
            if detach { return try await start(request, client) }
            return try await ForegroundRun(client: client, name: request.name).run(request.message())
        }
        try leave(with: code)
    }

    private func start(_ request: RunRequest, _ client: GantryClient) async throws -> Int32 {
        let container = try await client.launch(request.message())
        container.abandon()
        try container.requireStarted(request.name)
        try Output.standard.line(request.name.description)
        return ExitStatus.success
    }
}

struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The most memory it may use: 512k, 32m, 1.5g.", valueName: "size"))
    var memory: ByteSize?

    @Option(help: ArgumentHelp("The most processors it may keep busy: 2, 0.5.", valueName: "n"))
    var cpus: Processors?

    @Option(help: ArgumentHelp("The most processes and threads it may have.", valueName: "n"))
    var pids: UInt64?
}

struct PlaceOptions: ParsableArguments {
    @Option(name: [.customShort("w"), .long], help: ArgumentHelp("The directory to start in.", valueName: "dir"))
    var workdir: String?

    @Option(help: ArgumentHelp("The container's host name.", valueName: "name"))
    var hostname: String?
}

struct ProcessOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .long],
        help: ArgumentHelp("Set a variable; with a name alone, to the value that it has here.", valueName: "name=value")
    )
    var env: [String] = []

    @Option(
        name: [.customShort("u"), .long],
        help: ArgumentHelp("The user to run as, each a number or a name in the container.", valueName: "user[:group]"))
    var user: String?

    @Option(
        help: ArgumentHelp(
            "The only capabilities that it has, with commas between; 'none' for none.", valueName: "name"))
    var cap: [String] = []

    /// Name and value of each `--env`, in the order in which they were given.
    func environment() throws -> [(name: String, value: String)] {
        try env.map { entry in
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if name.isEmpty { throw ValidationError("--env '\(entry)' names no variable") }
            if parts.count == 2 { return (name, String(parts[1])) }
            guard let value = getenv(name) else { throw ValidationError("--env \(name): it is not set here") }
            return (name, String(cString: value))
        }
    }

    /// The capabilities of all `--cap`; nil without any.
    func capabilities() throws -> [Mesos.CapabilityInfo.Capability]? {
        if cap.isEmpty { return nil }
        let names = cap.flatMap { $0.split(separator: ",") }.map { $0.uppercased() }.filter { $0 != "NONE" }
        return try names.map { name in
            let bare = name.hasPrefix("CAP_") ? String(name.dropFirst("CAP_".count)) : name
            guard let capability = Mesos.CapabilityInfo.Capability(name: bare), capability != .unknown else {
                throw ValidationError("--cap: there is no capability '\(name)'")
            }
            return capability
        }
    }
}
