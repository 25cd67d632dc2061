// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

/// A message that is its bytes.
struct Bytes: Sendable, Hashable, ExpressibleByStringLiteral {
    var value: [UInt8]

    init(_ value: [UInt8]) {
        self.value = value
    }

    init(stringLiteral text: String) {
        value = Array(text.utf8)
    }

    /// Refuses what starts with 0xff.
    static let decode: @Sendable (UnsafeRawBufferPointer) throws -> Bytes = { bytes in
        guard bytes.first != 0xff else { throw Refused(offset: 0) }
        return Bytes([UInt8](bytes))
    }

    static let encode: @Sendable (Bytes) throws -> [UInt8] = { bytes in
        guard bytes.value.first != 0xfe else { throw Refused(offset: 0) }
        return bytes.value
    }
}

struct Refused: Error, CustomStringConvertible {
    var offset: Int
    var description: String { "bad tag at byte \(offset)" }
}

/// What handlers tell the tests.
final class Journal: Sendable {
    private let state = Locked<(events: [String], waiting: [(String, CheckedContinuation<Void, Never>)])>(([], []))

    private let keeps: Bool

    /// `keeps` false: for tests that note millions of events and wait for none.
    init(keeps: Bool = true) {
        self.keeps = keeps
    }

    var events: [String] { state.withLock { $0.events } }

    func note(_ event: String) {
        guard keeps else { return }
        let ready = state.withLock { state in
            state.events.append(event)
            let ready = state.waiting.filter { $0.0 == event }
            state.waiting.removeAll { $0.0 == event }
            return ready.map(\.1)
        }
        for continuation in ready { continuation.resume() }
    }

    /// Returns once the event has been noted.
    func wait(for event: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.events.contains(event) { return true }
                state.waiting.append((event, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

/// Waits until its task is cancelled.
func waitForCancellation() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    await withTaskCancellationHandler {
        for await _ in stream {}
    } onCancel: {
        continuation.finish()
    }
    try Task.checkCancellation()
}

let echo = "test.Echo"

/// A service with a method for each thing that can happen.
func echoRouter(_ journal: Journal) -> Router {
    var router = Router()
    func unary(_ method: String, _ handle: @escaping @Sendable (Bytes, CallContext) async throws -> Bytes) {
        router.unary(service: echo, method: method, decode: Bytes.decode, handle: handle, encode: Bytes.encode)
    }
    unary("Echo") { request, _ in request }
    unary("Yield") { request, _ in
        await Task.yield()
        return request
    }
    unary("Large") { request, _ in
        Bytes(Array(repeating: 7, count: Int(String(decoding: request.value, as: UTF8.self)) ?? 0))
    }
    unary("Fail") { request, _ in
        throw RPCError(.notFound, "no such thing", details: [StatusDetail(typeURL: "type/x", value: request.value)])
    }
    unary("FailOdd") { _, _ in throw Refused(offset: 3) }
    unary("FailOK") { _, _ in throw RPCError(.ok, "not an error") }
    unary("Stuck") { _, _ in
        journal.note("stuck")
        do {
            try await waitForCancellation()
        } catch {
            journal.note("cancelled")
            throw error
        }
        return ""
    }
    unary("Describe") { _, context in
        let metadata = context.metadata.entries.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        let hasDeadline = context.deadline != nil
        return Bytes(
            Array("\(context.service)/\(context.method) \(context.peer?.uid ?? 99) [\(metadata)] \(hasDeadline)".utf8))
    }
    unary("Process") { _, context in
        guard let process = try await context.peerProcess() else { return "none" }
        var ready = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
        let isAlive = poll(&ready, 1, 0) == 0
        return Bytes(Array("\(process.pid) \(isAlive ? "alive" : "gone")".utf8))
    }
    router.immediate(
        service: echo, method: "Now", decode: Bytes.decode,
        handle: { request, _ in
            if request == "fail" { throw RPCError(.aborted, "as asked") }
            return request == "large" ? Bytes(Array(repeating: 7, count: 4 << 20)) : request
        }, encode: Bytes.encode)
    addPassing(&router)
    addStreams(&router, journal)
    return router
}

/// Methods that hand back the descriptors that they get, and say how many those were.
private func addPassing(_ router: inout Router) {
    let handle: @Sendable (Bytes, CallContext) throws -> Bytes = { _, context in
        let numbers = context.descriptors.take()
        guard let answer = context.answerDescriptors else { return "not asked" }
        for number in numbers { try answer.add(Descriptor(owning: number)) }
        return Bytes(Array("\(numbers.count)".utf8))
    }
    router.immediate(service: echo, method: "Pass", decode: Bytes.decode, handle: handle, encode: Bytes.encode)
    router.unary(
        service: echo, method: "PassLater", decode: Bytes.decode,
        handle: { request, context in
            await Task.yield()
            return try handle(request, context)
        }, encode: Bytes.encode)
}

private func addStreams(_ router: inout Router, _ journal: Journal) {
    router.serverStream(
        service: echo, method: "Count", decode: Bytes.decode,
        handle: { request, responses, _ in
            let count = Int(String(decoding: request.value, as: UTF8.self)) ?? 0
            for number in 0..<count { try await responses.send(Bytes(Array("\(number)".utf8))) }
            journal.note("counted")
        }, encode: Bytes.encode)
    router.serverStream(
        service: echo, method: "Flood", decode: Bytes.decode,
        handle: { request, responses, _ in
            let chunk = Bytes(Array(repeating: 1, count: 64 << 10))
            var sent = 0
            do {
                while true {
                    try await responses.send(chunk)
                    sent += 1
                    journal.note("sent \(sent)")
                }
            } catch {
                journal.note("flood ended")
                throw error
            }
        }, encode: Bytes.encode)
    router.clientStream(
        service: echo, method: "Join", decode: Bytes.decode,
        handle: { requests, _ in
            var all: [UInt8] = []
            for try await request in requests { all += request.value }
            return Bytes(all)
        }, encode: Bytes.encode)
    router.bidirectionalStream(
        service: echo, method: "Chat", decode: Bytes.decode,
        handle: { requests, responses, _ in
            do {
                while let request = try await requests.next() {
                    if request == "stop" { return }
                    if request == "fail" { throw RPCError(.aborted, "as asked") }
                    try await responses.send(request)
                }
                journal.note("chat closed")
            } catch is CancellationError {
                journal.note("chat cancelled")
                throw CancellationError()
            }
        }, encode: Bytes.encode)
    router.bidirectionalStream(
        service: echo, method: "Deaf", decode: Bytes.decode,
        handle: { _, _, _ in
            journal.note("deaf")
            try await waitForCancellation()
        }, encode: Bytes.encode)
}

/// A server on a socket of its own in a temporary directory, its reactor, and what its handlers noted.
struct TestServer {
    let reactor: Reactor
    let server: Server
    let path: String
    let journal: Journal

    func connect(limits: Limits = Limits()) async throws -> ClientConnection {
        try await ClientConnection.connect(unixSocket: path, reactor: reactor, limits: limits)
    }

    /// What the server holds now.
    func census() async throws -> ServerCore.Census {
        let core = server.core
        return try await reactor.task { core.census }.value
    }
}

func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    var template = Array("/tmp/gantry-rpc.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Refused(offset: -1) }
    let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(directory) }
    return try await body(directory)
}

func withServer<T>(
    limits: Limits = Limits(), interceptors: [Interceptor] = [], journal: Journal = Journal(),
    metrics: ServerMetrics? = nil,
    _ body: (TestServer) async throws -> T
) async throws -> T {
    try await withTemporaryDirectory { directory in
        let reactor = try Reactor(name: "rpc-test")
        try reactor.start()
        defer {
            reactor.stop()
            reactor.join()
        }
        let server = Server(
            reactor: reactor, router: echoRouter(journal), interceptors: interceptors, limits: limits,
            metrics: metrics)
        let path = directory + "/socket"
        try server.listen(unixSocket: path)
        do {
            let result = try await body(TestServer(reactor: reactor, server: server, path: path, journal: journal))
            await server.shutdown()
            return result
        } catch {
            await server.shutdown()
            throw error
        }
    }
}
