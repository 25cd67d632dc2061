// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Client
import Testing

@testable import CLI

@Suite struct HostAddressTests {
    @Test func addresses() {
        #expect(HostAddress("unix:///run/x.sock")?.path == "/run/x.sock")
        #expect(HostAddress("/run/x.sock")?.path == "/run/x.sock")
        #expect(HostAddress("x.sock")?.path == "x.sock")
        #expect(HostAddress.standard.description == "unix:///run/gantry/gantryd.sock")
    }

    @Test(arguments: ["", "unix://", "tcp://127.0.0.1:80", "http://x"])
    func noAddress(text: String) {
        #expect(HostAddress(text) == nil)
    }

    @Test func theOptionWins() throws {
        let command = try #require(try GantryCommand.parseAsRoot(["ps", "--host", "unix:///a"]) as? PsCommand)
        #expect(try command.connection.address().path == "/a")
        let wrong = try #require(try GantryCommand.parseAsRoot(["ps", "--host", "tcp://a"]) as? PsCommand)
        let failure = #expect(throws: Failure.self) { try wrong.connection.address() }
        #expect(failure?.exitCode == 64)
    }

    @Test func nobodyListens() async {
        let client = GantryClient(host: HostAddress(path: "/nonexistent/gantryd.sock"))
        defer { client.close() }
        let error = await #expect(throws: ClientError.self) { try await client.connection() }
        #expect(error?.kind == .notReachable)
        #expect(error?.cause == .connect(path: "/nonexistent/gantryd.sock", errno: 2))
    }
}
