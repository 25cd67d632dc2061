// SPDX-License-Identifier: Apache-2.0
import Glibc
import Reactor
import TestSupport
import Testing

/// The programs in `examples/`, against the real daemon.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ExampleTests {
    private static let examples =
        "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/examples"

    private func check(_ daemon: RealDaemon, _ program: [String]) async throws {
        func run(_ command: String) async throws -> RunningProgram.Result {
            // The wrapper's program comes last among its words; the example stands there itself.
            try await RunningProgram(
                ["busybox", "/bin/sh", "-c", command], host: daemon.socket, program: program.last,
                wrapper: Array(program.dropLast())
            ).finish(on: daemon.reactor)
        }
        let echo = try await run("echo hello; echo there >&2; exit 3")
        #expect(echo == RunningProgram.Result(code: 3, output: "hello\n", error: "there\n"))
        let killed = try await run("kill -9 $$")
        #expect(killed.code == 137, "\(killed)")
        let large = try await run("yes | head -c 1000000")
        #expect(large.code == 0 && large.output.utf8.count == 1_000_000, "\(large.error)")
        #expect(daemon.leftovers().isEmpty)
    }

    @Test func python() async throws {
        try await RealDaemon.run { daemon in
            try await check(daemon, ["/usr/bin/python3", Self.examples + "/python/gantry_run.py"])
        }
    }

    @Test(.enabled(if: GoProgram.isAvailable, "needs golang-go and golang-github-containerd-ttrpc-dev"))
    func go() async throws {
        let pool = BlockingPool(threads: 1)
        defer { pool.shutdown() }
        try await RealDaemon.run { daemon in
            let program = daemon.directory + "/gantry-run"
            try await pool.run { try GoProgram.build(Self.examples + "/go", as: program) }
            try await check(daemon, ["/usr/bin/env", program])
        }
    }
}
