// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import SystemPackage
import Testing

@testable import RPC

/// The files behind sockets, and connecting to them.
@Suite struct ListenTests {
    private func expect(_ errno: Errno, listeningOn path: String, _ location: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: SystemError.self, sourceLocation: location) {
            _ = try UnixListener(path, mode: 0o660).path
        }
        #expect(error?.errno == errno, sourceLocation: location)
    }

    @Test(arguments: [0o660, 0o600, 0o666] as [UInt32])
    func theFileHasTheMode(_ mode: UInt32) async throws {
        try await withTemporaryDirectory { directory in
            let listener = try UnixListener(directory + "/socket", mode: mode)
            var status = stat()
            #expect(lstat(listener.path, &status) == 0)
            #expect(status.st_mode & 0o7777 == mode)
            listener.unlinkFile()
        }
    }

    @Test func aSocketThatNobodyListensOnIsReplaced() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/socket"
            // The value ends and the socket closes, but the file stays, as after a crash.
            do { _ = try UnixListener(path, mode: 0o660).path }
            #expect(access(path, F_OK) == 0)
            let listener = try UnixListener(path, mode: 0o660)
            let client = try UnixSocket.make()
            #expect(try UnixSocket.connect(client, path))
            listener.unlinkFile()
        }
    }

    @Test func aSocketThatSomebodyListensOnIsNotTouched() async throws {
        try await withServer { server in
            expect(.addressInUse, listeningOn: server.path)
            let client = try await server.connect()
            #expect(try await client.call("Echo", "x") == "x")
        }
    }

    @Test func otherFilesAreNotTouched() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/file"
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            expect(.fileExists, listeningOn: path)
            expect(.fileExists, listeningOn: directory)
            #expect(unlink(path) == 0)
        }
    }

    @Test func pathsThatCannotBeAreRefused() {
        expect(.fileNameTooLong, listeningOn: "/tmp/" + String(repeating: "x", count: 103))
        expect(.invalidArgument, listeningOn: "")
        expect(.invalidArgument, listeningOn: "\0abstract")
        expect(.noSuchFileOrDirectory, listeningOn: "/nonexistent/socket")
    }

    @Test func aFileThatTookThePlaceOfOursStays() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/socket"
            let first = try UnixListener(path, mode: 0o660)
            unlink(path)
            let second = try UnixListener(path, mode: 0o660)
            first.unlinkFile()
            #expect(access(path, F_OK) == 0)
            second.unlinkFile()
            #expect(access(path, F_OK) == -1)
        }
    }

    @Test func connectingSaysWhyItCannot() async throws {
        try await withTemporaryDirectory { directory in
            let reactor = try Reactor()
            try reactor.start()
            defer {
                reactor.stop()
                reactor.join()
            }
            let path = directory + "/socket"
            let absent = await #expect(throws: ConnectError.self) {
                _ = try await ClientConnection.connect(unixSocket: path, reactor: reactor)
            }
            #expect(absent == ConnectError(path: path, errno: .noSuchFileOrDirectory))
            #expect(absent?.description == "connect \(path): ENOENT (No such file or directory)")
            do { _ = try UnixListener(path, mode: 0o660).path }
            let dead = await #expect(throws: ConnectError.self) {
                _ = try await ClientConnection.connect(unixSocket: path, reactor: reactor)
            }
            #expect(dead?.errno == .connectionRefused)
            unlink(path)
        }
    }

    @Test func aServerThatDoesNotAcceptTimesOut() async throws {
        try await withTemporaryDirectory { directory in
            let reactor = try Reactor()
            try reactor.start()
            defer {
                reactor.stop()
                reactor.join()
            }
            let path = directory + "/socket"
            let listener = try UnixListener(path, mode: 0o660, backlog: 0)
            // A backlog of 0 still takes one connection.
            let first = try UnixSocket.make()
            #expect(try UnixSocket.connect(first, path))
            let error = await #expect(throws: ConnectError.self) {
                _ = try await ClientConnection.connect(unixSocket: path, reactor: reactor, timeout: .milliseconds(20))
            }
            #expect(error?.errno == .timedOut)
            listener.unlinkFile()
        }
    }

    @Test func thePeerIsKnown() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let options = CallOptions(metadata: Metadata([.init(key: "a", value: "1"), .init(key: "a", value: "2")]))
            let text = try await client.call("Describe", "", options)
            #expect(String(decoding: text.value, as: UTF8.self) == "test.Echo/Describe \(geteuid()) [a=1,a=2] false")
        }
    }
}
