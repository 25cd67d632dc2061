// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Glibc
internal import Services
internal import Wire

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call any method of the daemon, with JSON in and out.",
        discussion: """
            The request is JSON in the protobuf mapping; without one it is empty. '-' reads it from standard input. A \
            method that takes a stream of requests gets one for each argument, or each line of standard input, which it \
            is sent as it comes. A stream of responses is printed one a line.

            Examples:
              gantry call System/Health
              gantry call Containerizer/Wait '{"container_id":{"value":"web"}}'
              gantry call gantry.v1.System/Events | jq .type
              gantry call Containerizer/Attach - <requests.jsonl
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("End the call after this time.", valueName: "seconds"))
    var timeout: Double?

    @Argument(help: ArgumentHelp("The method, e.g. System/Version.", valueName: "service/method"))
    var method: MethodName

    @Argument(help: "The request, or requests, as JSON; '-' for standard input.")
    var requests: [String] = []

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout <= 1e9) { throw ValidationError("--timeout takes a number above 0") }
    }

    func run() async throws {
        try await connection.withClient { client in
            let services = try await client.reflection.services(Gantry.V1.ServicesRequest()).services
            let (service, description) = try method.find(in: services)
            let call = try MethodCall(client: client, service: service, method: description, timeout: timeout)
            if description.requestStream { return try await call.exchange(requests) }
            guard requests.count <= 1 else {
                throw Failure("\(method) takes one request", exitCode: ExitStatus.usage)
            }
            let request = try call.encode(requests.first == "-" ? try Self.input() : requests.first ?? "{}")
            if description.responseStream { return try await call.listen(request) }
            try await call.ask(request)
        }
    }

    private static func input() throws -> String {
        var bytes: [UInt8] = []
        try readAll(STDIN_FILENO, "standard input") { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// One method of the daemon, its messages known by their names.
struct MethodCall {
    private let client: GantryClient
    private let service: String
    private let method: Gantry.V1.MethodDescription
    private let request: any Message.Type
    private let response: any Message.Type
    private let timeout: Duration?

    init(
        client: GantryClient, service: String, method: Gantry.V1.MethodDescription, timeout: Double?
    ) throws {
        func type(_ name: String) throws -> any Message.Type {
            if let type = MessageRegistry.type(named: name) { return type }
            throw Failure("the daemon speaks of \(name), which this gantry does not know", hint: "use the daemon's own")
        }
        self.client = client
        self.service = service
        self.method = method
        self.timeout = timeout.map { .seconds($0) }
        request = try type(method.requestType)
        response = try type(method.responseType)
    }

    func encode(_ json: String) throws -> [UInt8] {
        do {
            return try request.init(json: json).encoded()
        } catch {
            throw Failure(
                "this is no \(method.requestType): \(refusal(error))",
                hint: "'gantry services \(service)/\(method.name)' shows its fields", exitCode: ExitStatus.data)
        }
    }

    private func decode(_ bytes: [UInt8]) throws -> any Message {
        do {
            return try response.init(decoding: bytes)
        } catch {
            throw Failure(refused: error)
        }
    }

    func ask(_ request: [UInt8]) async throws {
        let answer = try await client.call(service: service, method: method.name, request, timeout: timeout)
        try Output.standard.line(try decode(answer).json(.indented))
    }

    func listen(_ request: [UInt8]) async throws {
        try await print(client.open(service: service, method: method.name, request, timeout: timeout))
    }

    /// Sends the requests while the responses are printed.
    func exchange(_ requests: [String]) async throws {
        // What is no message must not begin a call.
        let messages = requests == ["-"] ? [] : try requests.map(encode)
        let stream = try await client.open(service: service, method: method.name, nil, timeout: timeout)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.print(stream) }
            for message in messages { try await stream.send(message) }
            if requests == ["-"] {
                try await sendInput(stream)
            }
            stream.closeSend()
            try await group.waitForAll()
        }
    }

    /// Each line of standard input, as it comes.
    private func sendInput(_ stream: ByteExchange) async throws {
        var (lines, ready) = (LineSplitter(), [ArraySlice<UInt8>]())
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            try await client.waitUntilReadable(STDIN_FILENO)
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            let code = errno
            if count < 0, code == EINTR || code == EAGAIN { continue }
            if count < 0 { throw Failure("cannot read standard input: \(errnoText(code))") }
            if count == 0 { lines.end { ready.append($0) } } else { lines.add(buffer[..<count]) { ready.append($0) } }
            for line in ready where !line.isEmpty {
                try await stream.send(try encode(String(decoding: line, as: UTF8.self)))
            }
            ready = []
            if count == 0 { return }
        }
    }

    private func print(_ stream: ByteExchange) async throws {
        while let message = try await stream.next() {
            try Output.standard.line(try decode(message).json(.compact))
        }
    }
}
