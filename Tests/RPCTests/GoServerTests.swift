// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import TestSupport
import Testing

@testable import RPC

/// Our client against Go's ttrpc server, as Debian packages it (1.1: unary calls).
@Suite struct GoServerTests {
    /// `ttrpc.KeyValue` with a value alone.
    private func message(_ value: [UInt8]) -> [UInt8] {
        let size = FieldWriter.size(nonEmpty: value.count)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            guard let start = UnsafeMutableRawBufferPointer(buffer).baseAddress else { return }
            var writer = FieldWriter(start)
            writer.nonEmpty(2, value)
            count = size
        }
    }

    private func value(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { bytes in
            var reader = FieldReader(bytes)
            var value: [UInt8] = []
            while let field = try reader.next() {
                if field.number == 2 { value = [UInt8](try reader.bytes()) } else { try reader.skip(field) }
            }
            return value
        }
    }

    private func call(
        _ client: ClientConnection, _ method: String, _ text: String = "", _ options: CallOptions = CallOptions()
    ) async throws -> String {
        let answer = try await client.unary(
            service: echo, method: method, payload: message(Array(text.utf8)), options: options)
        return String(decoding: try value(answer), as: UTF8.self)
    }

    @Test(.enabled(if: GoProgram.isAvailable, "needs golang-go and golang-github-containerd-ttrpc-dev"))
    func weCallGo() async throws {
        let pool = BlockingPool(threads: 1)
        defer { pool.shutdown() }
        let source = "\(#filePath)".split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/go/server"
        try await withTemporaryDirectory { directory in
            let (program, path) = (directory + "/server", directory + "/socket")
            defer { unlink(program) }
            try await pool.run { try GoProgram.build(source, as: program) }
            let reactor = try Reactor(name: "go-test")
            try reactor.start()
            defer {
                reactor.stop()
                reactor.join()
            }
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            let server = try RunningProgram(
                [], host: path, output: ends[1], program: program, wrapper: [program, path])
            close(ends[1])
            let ready = Descriptor(owning: ends[0])
            var line = [UInt8](repeating: 0, count: 6)
            try await reactor.readable(ready.raw)
            let count = read(ready.raw, &line, line.count)
            try #require(count == 6 && line == Array("ready\n".utf8))

            let client = try await ClientConnection.connect(unixSocket: path, reactor: reactor)
            try await check(client)
            _ = try await call(client, "Stop")
            client.close()
            let result = try await server.finish(on: reactor)
            #expect(result.code == 0, "\(result)")
        }
    }

    private func check(_ client: ClientConnection) async throws {
        for size in [0, 1, 65_536, 1 << 20] {
            let text = String(repeating: "x", count: size)
            #expect(try await call(client, "Echo", text) == text)
        }
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<16 {
                group.addTask {
                    var right = 0
                    for round in 0..<100 where try await call(client, "Echo", "\(task)/\(round)") == "\(task)/\(round)"
                    {
                        right += 1
                    }
                    return right
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 1_600)
        #expect(try await failure(client, "Fail") == RPCError(.notFound, "no such thing"))
        #expect(try await failure(client, "Nothing")?.code == .unimplemented)
        let options = CallOptions(
            timeout: .seconds(60), metadata: Metadata([.init(key: "a", value: "1"), .init(key: "a", value: "2")]))
        #expect(try await call(client, "Describe", "", options) == "[a=1,2] true")
        #expect(
            try await failure(client, "Stuck", CallOptions(timeout: .milliseconds(20)))?.code == .deadlineExceeded)
        // A call that is given up: Go skips what it does not know, and the connection goes on.
        let stuck = Task { try await call(client, "Stuck") }
        stuck.cancel()
        await #expect(throws: CancellationError.self) { try await stuck.value }
        #expect(try await failure(client, "Large")?.code == .resourceExhausted)
        #expect(try await call(client, "Echo", "still here") == "still here")
    }

    private func failure(
        _ client: ClientConnection, _ method: String, _ options: CallOptions = CallOptions()
    ) async throws -> RPCError? {
        do {
            _ = try await call(client, method, "", options)
            return nil
        } catch let error as RPCError {
            return error
        }
    }
}
