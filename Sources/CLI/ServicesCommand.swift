// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

struct ServicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "List the methods that the daemon offers, or describe one of them.",
        discussion: """
            The daemon itself tells what it offers. A method is described with the fields of its messages.

            Examples:
              gantry services
              gantry services Containerizer
              gantry services Containerizer/Launch
              gantry services mesos.ContainerID
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "A service, SERVICE/METHOD, or a message by its full name.")
    var name: String?

    func run() async throws {
        try await connection.withClient { client in
            let reflection = try await client.reflection
            let answer = try await reflection.services(Gantry.V1.ServicesRequest())
            guard let name else {
                return try format.print(
                    table: answer.services.map(Self.text).joined(separator: "\n"), json: try answer.json(.indented))
            }
            if let service = answer.services.first(named: name) {
                return try format.print(table: Self.text(service), json: try service.json(.indented))
            }
            if let name = MethodName(argument: name) {
                return try await describe(name.find(in: answer.services).1, reflection)
            }
            let types = try await reflection.describe(Gantry.V1.DescribeRequest(name: name))
            try format.print(table: types.text, json: try types.json(.indented))
        }
    }

    private func describe(_ method: Gantry.V1.MethodDescription, _ reflection: ReflectionClient) async throws {
        let request = try await reflection.describe(Gantry.V1.DescribeRequest(name: method.requestType))
        let response = try await reflection.describe(Gantry.V1.DescribeRequest(name: method.responseType))
        let known = Set(request.types.map(\.name))
        let types = Gantry.V1.DescribeResponse(
            types: request.types + response.types.filter { !known.contains($0.name) })
        let head = (method.comment.isEmpty ? "" : "// \(method.comment)\n") + method.signature + "\n\n"
        let members = [("method", try method.json()), ("types", JSONText.array(try types.types.map { try $0.json() }))]
        try format.print(table: head + types.text, json: JSONText.object(members))
    }

    /// `gantry.v1.System`, and below it a line for each method.
    static func text(_ service: Gantry.V1.ServiceDescription) -> String {
        service.name + "\n" + service.methods.map { "  \($0.signature)\n" }.joined()
    }
}

extension Gantry.V1.DescribeResponse {
    /// As a .proto file has it, near enough.
    var text: String {
        types.map { type in
            let isEnum = !type.values.isEmpty
            let fields = type.fields.map { field in
                "  \(field.label.isEmpty ? "" : field.label + " ")\(field.type) \(field.name) = \(field.number)\n"
            }
            let values = type.values.map { "  \($0.name) = \($0.number)\n" }
            return "\(isEnum ? "enum" : "message") \(type.name) {\n\((fields + values).joined())}\n"
        }.joined(separator: "\n")
    }
}
