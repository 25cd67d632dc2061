// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

extension LoadTests {
    @Suite(.serialized) struct ConnectionsTests {
        private static let count = 10_000

        /// Both ends of each are in this process, and some more.
        private static let mayOpenThem: Bool = {
            var limit = rlimit()
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            guard getrlimit(kind, &limit) == 0 else { return false }
            limit.rlim_cur = limit.rlim_max
            return setrlimit(kind, &limit) == 0 && limit.rlim_cur >= count * 2 + 1_000
        }()

        private func residentBytes() throws -> Int {
            let words = try ControlFile.read("/proc/self/statm").split(separator: " ")
            return (Int(words[1]) ?? 0) * 4_096
        }

        /// With the default limits; idle, then with a half-read frame each, then with answers that nobody reads.
        @Test(.enabled(if: mayOpenThem, "needs a limit of 21,000 open files"))
        func tenThousandFitInto256MiB() async throws {
            try await withServer { server in
                let witness = try await server.connect()
                let before = try residentBytes()
                var peers: [RawPeer] = []
                for index in 0..<Self.count {
                    peers.append(try RawPeer(server))
                    // The backlog has room for a thousand.
                    if index % 500 == 0 { #expect(try await witness.call("Yield", "x") == "x") }
                }
                for peer in peers { try await peer.send(request(1, "Echo", "x")) }
                for peer in peers { #expect(try await peer.receiveResponse() == "1 OK x") }
                let idle = try residentBytes() - before
                for peer in peers { try await peer.send(Array(request(3, "Echo", "x").dropLast())) }
                #expect(try await witness.call("Yield", "x") == "x")
                let half = try residentBytes() - before
                for peer in peers { try await peer.send(Array("x".utf8) + request(5, "Large", "4000")) }
                for _ in 0..<10 { #expect(try await witness.call("Yield", "x") == "x") }
                let unread = try residentBytes() - before
                for bytes in [idle, half, unread] {
                    #expect(bytes < 256 << 20, "\(idle >> 20), \(half >> 20), \(unread >> 20) MiB")
                }
                #expect(try await server.census().connections == Self.count + 1)
            }
        }
    }
}
