// SPDX-License-Identifier: Apache-2.0
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc

/// The echo service and its load on grpc-swift-2: `serve PATH`, or
/// `load PATH CONNECTIONS CALLS SIZE MILLISECONDS`, as the C program `load` does it.
///
/// Messages are their bytes, as in `bench-rpc`: what protobuf costs is measured elsewhere.
@main
struct BenchGRPC {
    static func main() async throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "serve" where arguments.count == 3:
            unlink(arguments[2])
            let transport = HTTP2ServerTransport.Posix(
                address: .unixDomainSocket(path: arguments[2]), transportSecurity: .plaintext)
            try await GRPCServer(transport: transport, services: [EchoService()]).serve()
        case "load" where arguments.count == 7:
            let numbers = arguments[3...].compactMap { Int($0) }
            guard numbers.count == 4 else { exit(64) }
            print(try await load(arguments[2], numbers[0], numbers[1], numbers[2], .milliseconds(numbers[3])))
        default: exit(64)
        }
    }
}

private let echo = MethodDescriptor(fullyQualifiedService: "bench.Echo", method: "Echo")

private struct Raw: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { [UInt8]($0) }
    }
}

private struct EchoService: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(forMethod: echo, deserializer: Raw(), serializer: Raw()) { request, _ in
            var answer: [UInt8] = []
            for try await message in request.messages { answer = message }
            return StreamingServerResponse(single: ServerResponse(message: answer))
        }
    }
}

private func load(
    _ path: String, _ connections: Int, _ calls: Int, _ size: Int, _ duration: Duration
) async throws -> String {
    let message = [UInt8](repeating: UInt8(ascii: "x"), count: size)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        var clients: [GRPCClient<HTTP2ClientTransport.Posix>] = []
        for _ in 0..<connections {
            let transport = try HTTP2ClientTransport.Posix(
                target: .unixDomainSocket(path: path), transportSecurity: .plaintext)
            let client = GRPCClient(transport: transport)
            group.addTask { try await client.runConnections() }
            clients.append(client)
            // The connection is there before the clock runs.
            _ = try await call(client, message)
        }
        let start = ContinuousClock.now
        let end = start + duration
        let times = try await withThrowingTaskGroup(of: [Duration].self) { workers in
            for client in clients {
                for _ in 0..<calls { workers.addTask { try await work(client, message, end) } }
            }
            return try await workers.reduce(into: []) { $0 += $1 }
        }
        let elapsed = start.duration(to: .now)
        for client in clients { client.beginGracefulShutdown() }
        return summary(times.map { nanoseconds($0) }.sorted(), nanoseconds(elapsed))
    }
}

private func work(
    _ client: GRPCClient<HTTP2ClientTransport.Posix>, _ message: [UInt8], _ end: ContinuousClock.Instant
) async throws -> [Duration] {
    var times: [Duration] = []
    var begin = ContinuousClock.now
    while begin < end {
        guard try await call(client, message).count == message.count else { exit(1) }
        let now = ContinuousClock.now
        times.append(begin.duration(to: now))
        begin = now
    }
    return times
}

private func call(_ client: GRPCClient<HTTP2ClientTransport.Posix>, _ message: [UInt8]) async throws -> [UInt8] {
    try await client.unary(
        request: ClientRequest(message: message), descriptor: echo, serializer: Raw(), deserializer: Raw(),
        options: .defaults
    ) { try $0.message }
}

private func nanoseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
}

/// Calls, calls a second, p50 and p99 in nanoseconds.
private func summary(_ times: [Int64], _ elapsed: Int64) -> String {
    guard let last = times.last else { return "0 0 0 0" }
    let p99 = times.count * 99 / 100
    let rate = Double(times.count) * 1e9 / Double(elapsed)
    return "\(times.count) \(rate) \(times[times.count / 2]) \(times.indices.contains(p99) ? times[p99] : last)"
}
