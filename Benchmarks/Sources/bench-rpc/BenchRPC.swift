// SPDX-License-Identifier: Apache-2.0
import Glibc
import RPC
import Reactor

/// `bench-rpc serve PATH`: the echo service, `Echo` with a synchronous handler and `Task` with an asynchronous one.
/// `bench-rpc load PATH CONNECTIONS CALLS SIZE MILLISECONDS`: the same load as the C program `load` makes.
@main
struct BenchRPC {
    static func main() async throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "serve" where arguments.count == 3: try serve(arguments[2])
        case "load" where arguments.count == 7:
            let numbers = arguments[3...].compactMap { Int($0) }
            guard numbers.count == 4 else { exit(64) }
            let load = EchoLoad(
                path: arguments[2], connections: numbers[0], calls: numbers[1], size: numbers[2],
                duration: .milliseconds(numbers[3]))
            print(try await load.run())
        default: exit(64)
        }
    }

    private static func serve(_ path: String) throws {
        let reactor = try Reactor(name: "bench")
        var router = Router()
        let decode: @Sendable (UnsafeRawBufferPointer) throws -> [UInt8] = { [UInt8]($0) }
        router.immediate(
            service: "bench.Echo", method: "Echo", decode: decode, handle: { request, _ in request }, encode: { $0 })
        router.unary(
            service: "bench.Task", method: "Echo", decode: decode, handle: { request, _ in request }, encode: { $0 })
        let server = Server(reactor: reactor, router: router)
        unlink(path)
        try server.listen(unixSocket: path)
        reactor.run()
    }
}

/// Keeps `calls` calls in flight on each connection, on one thread.
struct EchoLoad: Sendable {
    var path: String
    var connections: Int
    var calls: Int
    var size: Int
    var duration: Duration

    /// Calls, calls a second, p50 and p99 in nanoseconds.
    func run() async throws -> String {
        let reactor = try Reactor(name: "load")
        try reactor.start()
        let (times, elapsed) = try await reactor.task { try await self.load(reactor) }.value
        reactor.stop()
        reactor.join()
        let sorted = times.sorted()
        guard let last = sorted.last else { return "0 0 0 0" }
        let rate = Double(sorted.count) / (Double(elapsed) / 1e9)
        let p99 = sorted.indices.contains(sorted.count * 99 / 100) ? sorted[sorted.count * 99 / 100] : last
        return "\(sorted.count) \(rate) \(sorted[sorted.count / 2]) \(p99)"
    }

    private func load(_ reactor: Reactor) async throws -> ([Int64], Int64) {
        var clients: [ClientConnection] = []
        for _ in 0..<connections {
            clients.append(try await ClientConnection.connect(unixSocket: path, reactor: reactor))
        }
        let start = nanoseconds()
        let end = start + duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
        // The field's tag and length take two bytes of a small message.
        let inner = size > 2 ? size - (size < 130 ? 2 : size < 16_387 ? 3 : 4) : 0
        let payload = field(inner)
        let workers = clients.flatMap { client in
            (0..<calls).map { _ in
                reactor.task { () async throws -> [Int64] in
                    var times: [Int64] = []
                    var begin = nanoseconds()
                    while begin < end {
                        _ = try await client.unary(service: "bench.Echo", method: "Echo", payload: payload)
                        let now = nanoseconds()
                        times.append(now - begin)
                        begin = now
                    }
                    return times
                }
            }
        }
        var all: [Int64] = []
        for worker in workers { all += try await worker.value }
        return (all, nanoseconds() - start)
    }

    private func field(_ length: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x0a]
        var left = length
        while left > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(left))
        return bytes + [UInt8](repeating: UInt8(ascii: "x"), count: length)
    }
}

private func nanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
