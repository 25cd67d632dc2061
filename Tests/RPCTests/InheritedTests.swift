// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Testing

@testable import RPC

/// Sockets that somebody else has bound.
@Suite struct InheritedTests {
    @Test func aServerServesOnASocketThatItIsGiven() async throws {
        try await withServer { server in
            try await withTemporaryDirectory { directory in
                let path = directory + "/inherited"
                let bound = try UnixSocket.listen(path, mode: 0o600)
                let inherited = UnixListener.Inherited(number: dup(bound.raw))
                #expect(inherited.path == path)
                server.server.listen(inherited: inherited)
                let client = try await ClientConnection.connect(unixSocket: path, reactor: server.reactor)
                #expect(try await client.call("Echo", "x") == "x")
                // Both of the server's listeners go on.
                #expect(try await server.connect().call("Echo", "y") == "y")
                await server.server.shutdown()
                // The file is not ours.
                #expect(unlink(path) == 0)
            }
        }
    }

    @Test func onlyListeningUnixSocketsWillDo() throws {
        let socket = try UnixSocket.make()
        #expect(!UnixSocket.isListener(socket.raw))
        #expect(!UnixSocket.isListener(0x7fff_ffff))
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        #expect(!UnixSocket.isListener(ends[0]))
        for end in ends { close(end) }
    }
}
