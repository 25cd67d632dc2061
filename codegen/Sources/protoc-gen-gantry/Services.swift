// SPDX-License-Identifier: Apache-2.0
import SwiftProtobufPluginLibrary

/// A protocol for the server, its registration with a router, and a typed client.
func source(of service: ServiceDescriptor, _ model: Model) -> String {
    var p = newPrinter()
    p.lines(banner(service.file.name))
    p.print("public import RPC", "public import Wire", "")
    printProtocol(service, model, &p)
    p.print()
    printMethods(service, model, &p)
    p.print()
    printRegistration(service, &p)
    p.print()
    printClient(service, model, &p)
    p.print()
    printDescription(service, model, &p)
    return p.content
}

private enum Shape {
    case unary, serverStream, clientStream, bidirectional

    init(_ method: MethodDescriptor) {
        switch (method.clientStreaming, method.serverStreaming) {
        case (false, false): self = .unary
        case (false, true): self = .serverStream
        case (true, false): self = .clientStream
        case (true, true): self = .bidirectional
        }
    }
}

private func printProtocol(_ service: ServiceDescriptor, _ model: Model, _ p: inout CodePrinter) {
    p.comment(service)
    p.print("///", "/// The server's side of `\(service.fullName)`.")
    p.print("public protocol \(service.name)Service: Sendable {")
    p.withIndentation { p in
        for (index, method) in service.methods.enumerated() {
            if index > 0 { p.print() }
            p.comment(method)
            let name = escaped(lowerCamel(method.name))
            let request = model.swiftName(of: method.inputType)
            let response = model.swiftName(of: method.outputType)
            let context = "context: CallContext"
            switch Shape(method) {
            case .unary:
                p.print("func \(name)(")
                p.print("    _ request: \(request), \(context)", ") async throws -> \(response)")
            case .serverStream:
                p.print("func \(name)(")
                p.print("    _ request: \(request), responses: ResponseStream<\(response)>, \(context)")
                p.print(") async throws")
            case .clientStream:
                p.print("func \(name)(")
                p.print("    _ requests: RequestStream<\(request)>, \(context)", ") async throws -> \(response)")
            case .bidirectional:
                p.print("func \(name)(")
                p.print("    _ requests: RequestStream<\(request)>, responses: ResponseStream<\(response)>,")
                p.print("    \(context)", ") async throws")
            }
        }
    }
    p.print("}")
}

/// What serves each method with one request and one response: streams need a task whatever their handlers do.
private func printMethods(_ service: ServiceDescriptor, _ model: Model, _ p: inout CodePrinter) {
    let unary = service.methods.filter { Shape($0) == .unary }
    p.print("/// What serves each unary method of `\(service.fullName)`.")
    p.print("public struct \(service.name)Methods: Sendable {")
    for method in unary {
        let types = "\(model.swiftName(of: method.inputType)), \(model.swiftName(of: method.outputType))"
        p.print("    public var \(escaped(lowerCamel(method.name))): UnaryHandler<\(types)>")
    }
    p.print("", "    /// Each by a task that runs the service's method.")
    p.print("    public init(_ service: some \(service.name)Service) {")
    for method in unary {
        let name = escaped(lowerCamel(method.name))
        p.print("        \(name) = .task { try await service.\(name)($0, context: $1) }")
    }
    p.print("    }", "}")
}

private func printRegistration(_ service: ServiceDescriptor, _ p: inout CodePrinter) {
    p.print("extension \(service.name)Service {")
    p.print("    /// Adds every method of the service to a router. `change` may give methods other handlers:")
    p.print("    /// synchronous ones, which need no task, to those that never wait.")
    p.print("    public func register(")
    p.print("        in router: inout Router, _ change: (inout \(service.name)Methods) -> Void = { _ in }", "    ) {")
    p.print("        let service = \"\(service.fullName)\"")
    p.print("        var methods = \(service.name)Methods(self)", "        change(&methods)")
    for method in service.methods {
        let name = escaped(lowerCamel(method.name))
        let register: String
        let handler: String
        switch Shape(method) {
        case .unary:
            p.print("        router.unary(service: service, method: \"\(method.name)\", methods.\(name))")
            continue
        case .serverStream:
            register = "serverStream"
            handler = "{ try await self.\(name)($0, responses: $1, context: $2) }"
        case .clientStream:
            register = "clientStream"
            handler = "{ try await self.\(name)($0, context: $1) }"
        case .bidirectional:
            register = "bidirectionalStream"
            handler = "{ try await self.\(name)($0, responses: $1, context: $2) }"
        }
        p.print("        router.\(register)(")
        p.print("            service: service, method: \"\(method.name)\", decode: decodeMessage,")
        p.print("            handle: \(handler), encode: encodeMessage", "        )")
    }
    p.print("    }", "}")
}

private func printClient(_ service: ServiceDescriptor, _ model: Model, _ p: inout CodePrinter) {
    p.print("/// The client's side of `\(service.fullName)`. Methods throw RPCError.")
    p.print("public struct \(service.name)Client: Sendable {")
    p.print("    public let connection: ClientConnection", "")
    p.print("    public init(_ connection: ClientConnection) { self.connection = connection }")
    p.withIndentation { p in
        for method in service.methods {
            p.print()
            p.comment(method)
            printClientMethod(method, model, &p)
        }
    }
    p.print("}")
}

private func printClientMethod(_ method: MethodDescriptor, _ model: Model, _ p: inout CodePrinter) {
    let name = escaped(lowerCamel(method.name))
    let request = model.swiftName(of: method.inputType)
    let response = model.swiftName(of: method.outputType)
    let target = "service: \"\(method.service.fullName)\", method: \"\(method.name)\""
    switch Shape(method) {
    case .unary:
        p.print("public func \(name)(")
        p.print("    _ request: \(request), options: CallOptions = CallOptions()", ") async throws -> \(response) {")
        p.print("    try await connection.call(\(target), request, options)", "}")
    case .serverStream:
        p.print("public func \(name)(")
        p.print("    _ request: \(request), options: CallOptions = CallOptions()")
        p.print(") async throws -> Responses<\(response)> {")
        p.print("    try await connection.open(\(target), request, options)", "}")
    case .clientStream, .bidirectional:
        p.print("public func \(name)(")
        p.print("    options: CallOptions = CallOptions()")
        p.print(") async throws -> Exchange<\(request), \(response)> {")
        p.print("    try await connection.open(\(target), options)", "}")
    }
}

/// What a reflection service tells of it.
private func printDescription(_ service: ServiceDescriptor, _ model: Model, _ p: inout CodePrinter) {
    p.print("extension ServiceDescription {")
    p.print("    /// `\(service.fullName)`, for those who ask what a server offers.")
    p.print("    public static let \(escaped(lowerCamel(service.name))) = ServiceDescription(")
    p.print("        name: \"\(service.fullName)\",", "        comment: \(literal(comment(of: service))),")
    p.print("        methods: [")
    for method in service.methods {
        p.print("            ServiceDescription.Method(")
        p.print("                name: \"\(method.name)\",")
        p.print("                comment: \(literal(comment(of: method))),")
        p.print("                request: \(model.swiftName(of: method.inputType)).self,")
        p.print("                response: \(model.swiftName(of: method.outputType)).self,")
        p.print("                requestStream: \(method.clientStreaming), responseStream: \(method.serverStreaming)),")
    }
    p.print("        ])", "}")
}

/// The comment's words on one line.
private func comment(of source: some ProvidesSourceCodeLocation) -> String {
    let lines = source.protoSourceComments(commentPrefix: "").split(separator: "\n")
    return lines.flatMap { $0.split(separator: " ") }.joined(separator: " ")
}

private func literal(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
