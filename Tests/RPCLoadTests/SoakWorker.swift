// SPDX-License-Identifier: Apache-2.0
import Kernel
import Reactor

@testable import RPC

/// How the calls of a soak ended. All of these have to happen, or the soak says nothing.
struct SoakTally: CustomStringConvertible {
    var answered = 0
    var cancelled = 0
    var expired = 0
    var disconnected = 0
    var refused = 0

    var calls: Int { answered + cancelled + expired + disconnected + refused }

    var description: String {
        "\(answered) answered, \(cancelled) cancelled, \(expired) expired, \(disconnected) disconnected, "
            + "\(refused) refused"
    }

    mutating func note(_ error: (any Error)?) {
        switch (error as? RPCError)?.code {
        case nil where error == nil: answered += 1
        case nil, .cancelled?: cancelled += 1
        case .deadlineExceeded?: expired += 1
        case .unavailable?: disconnected += 1
        case _?: refused += 1
        }
    }

    static func += (left: inout SoakTally, right: SoakTally) {
        left.answered += right.answered
        left.cancelled += right.cancelled
        left.expired += right.expired
        left.disconnected += right.disconnected
        left.refused += right.refused
    }
}

/// Makes calls of random kinds, one after the other, on a connection that now and then breaks.
struct SoakWorker {
    let server: TestServer
    let reactor: Reactor
    private var generator = SystemRandomNumberGenerator()
    private var tally = SoakTally()

    init(server: TestServer, reactor: Reactor) {
        self.server = server
        self.reactor = reactor
    }

    mutating func run(_ count: Int) async throws -> SoakTally {
        var client = try await connect()
        while tally.calls < count {
            switch number(200) {
            case 0:
                await breakDuring(client)
                client = try await connect()
            case 1:
                // Dropped rather than closed, with whatever its streams left open.
                client = try await connect()
            case 2: try await leaveInTheMiddle()
            default: break
            }
            await call(client)
        }
        client.close()
        return tally
    }

    private func connect() async throws -> ClientConnection {
        try await ClientConnection.connect(unixSocket: server.path, reactor: reactor)
    }

    private mutating func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    private mutating func note(_ body: () async throws -> Void) async {
        do {
            try await body()
            tally.note(nil)
        } catch {
            tally.note(error)
        }
    }

    /// One call of a random kind, one in eight with a deadline that it may miss.
    private mutating func call(_ client: ClientConnection) async {
        let options = CallOptions(timeout: number(8) == 0 ? .microseconds(1 + number(400)) : nil)
        switch number(10) {
        case 0..<3: await note { _ = try await client.call("Now", "x", options) }
        case 3..<5: await note { _ = try await client.call("Echo", "hello", options) }
        case 5: await note { _ = try await client.call("Yield", "hello", options) }
        case 6:
            let stuck = reactor.task { try await client.call("Stuck", "", options) }
            // Before it is sent, or after.
            if number(2) == 0 { await note { _ = try await client.call("Echo", "x") } }
            stuck.cancel()
            let result = await stuck.result
            await note { _ = try result.get() }
        case 7: await chat(client, options, messages: number(4), closes: number(2) == 0)
        case 8: await count(client, options, reads: number(25))
        default: await note { _ = try await client.call("Large", "100000", options) }
        }
    }

    private mutating func chat(
        _ client: ClientConnection, _ options: CallOptions, messages: Int, closes: Bool
    ) async {
        await note {
            let chat = try await client.stream(service: echo, method: "Chat", options: options)
            for _ in 0..<messages {
                try await chat.send([1, 2, 3])
                _ = try await chat.next()
            }
            // Otherwise it is dropped, which cancels it.
            if !closes { throw CancellationError() }
            chat.closeSend()
            while try await chat.next() != nil {}
        }
    }

    private mutating func count(_ client: ClientConnection, _ options: CallOptions, reads: Int) async {
        await note {
            let count = Bytes(Array("20".utf8)).value
            let stream = try await client.stream(service: echo, method: "Count", payload: count, options: options)
            for _ in 0..<reads where try await stream.next() == nil { return }
            throw CancellationError()
        }
    }

    /// The connection closes while calls are on it.
    private mutating func breakDuring(_ client: ClientConnection) async {
        let calls = ["Stuck", "Large", "Yield"].map { method in
            reactor.task { try await client.call(method, "1000000") }
        }
        if number(2) == 0 { _ = try? await client.call("Echo", "x") }
        client.close()
        for call in calls {
            let result = await call.result
            await note { _ = try result.get() }
        }
    }

    /// A peer that is gone in the middle of a frame, with a call running.
    private mutating func leaveInTheMiddle() async throws {
        let socket = try UnixSocket.make()
        guard try UnixSocket.connect(socket, server.path) else { return }
        let peer = RawPeer(socket, reactor)
        let frames = request(1, "Stuck") + request(3, "Large", "100000")
        try await peer.send(Array(frames.prefix(1 + number(frames.count))))
        tally.disconnected += 1
    }
}
