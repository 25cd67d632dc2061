// SPDX-License-Identifier: Apache-2.0
import Glibc
import Reactor
import TestSupport
import Testing

@testable import RPC

/// The server against Go's ttrpc client, as Debian packages it (1.1: unary calls).
@Suite struct GoClientTests {
    /// Runs a program to its end, and returns its status and what it printed.
    private func run(_ arguments: [String], environment: [String]) throws -> (Int32, String) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid = pid_t()
        let code = posix_spawn(&pid, arguments[0], &actions, nil, &argv, &envp)
        close(ends[1])
        try #require(code == 0)
        var output: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(ends[0], &block, block.count)
            guard count > 0 else { break }
            output += block[..<count]
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return (status, String(decoding: output, as: UTF8.self))
    }

    @Test(.enabled(if: GoProgram.isAvailable, "needs golang-go and golang-github-containerd-ttrpc-dev"))
    func goCallsUs() async throws {
        let pool = BlockingPool(threads: 1)
        defer { pool.shutdown() }
        let source = "\(#filePath)".split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/go/client"
        try await withTemporaryDirectory { directory in
            let program = directory + "/client"
            defer { unlink(program) }
            try await pool.run { try GoProgram.build(source, as: program) }
            try await withServer { server in
                let (status, output) = try await pool.run {
                    try run([program, server.path], environment: [])
                }
                #expect(status == 0)
                #expect(
                    output == """
                        echo 0\ttrue
                        echo 1\ttrue
                        echo 65536\ttrue
                        echo 1048576\ttrue
                        concurrent\t1600
                        error\tNotFound: no such thing
                        method\tUnimplemented: method Nothing
                        service\tUnimplemented: service no.Such
                        deadline\ttrue
                        after\tstill here
                        closed\ttrue

                        """)
                await server.journal.wait(for: "cancelled")
            }
        }
    }
}
