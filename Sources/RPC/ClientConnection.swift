// SPDX-License-Identifier: Apache-2.0
internal import Kernel
public import Reactor
internal import Synchronization
internal import SystemPackage

/// A client's connection. Any number of calls may run on it at once, from any task. It closes when nobody holds it, or
/// a stream of it, any more.
public final class ClientConnection: Sendable {
    let channel: ClientChannel

    private init(_ channel: ClientChannel) {
        self.channel = channel
    }

    deinit {
        close()
    }

    /// Connects to a server's socket. Throws ConnectError.
    ///
    /// Connecting takes no time unless the server's backlog is full; then it waits, up to the timeout, on a thread of
    /// its own, because epoll does not tell when a backlog has room.
    public static func connect(
        unixSocket path: String, reactor: Reactor, timeout: Duration = .seconds(10), limits: Limits = Limits()
    ) async throws -> ClientConnection {
        let number = try await reach(path, timeout)
        return try await reactor.suspend { (reactor, waiter: Waiter<ClientConnection>) in
            let descriptor = Descriptor(owning: number)
            let channel = ClientChannel(reactor: reactor, descriptor: descriptor, limits: limits, path: path)
            do {
                try channel.attach()
            } catch {
                channel.close()
                throw error
            }
            waiter.finish(.success(ClientConnection(channel)))
            return {}
        }
    }

    private static func reach(_ path: String, _ timeout: Duration) async throws -> Int32 {
        do {
            let socket = try UnixSocket.make()
            if try UnixSocket.connect(socket, path) { return socket.release() }
            return try await withUnsafeThrowingContinuation { continuation in
                do {
                    _ = try Thread("connect") {
                        continuation.resume(with: Result { try UnixSocket.connect(path, timeout: timeout).release() })
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } catch let error as SystemError {
            throw ConnectError(path: path, errno: error.errno)
        }
    }

    /// One message out, one message back. Throws RPCError: the server's; UNAVAILABLE when the connection is gone;
    /// DEADLINE_EXCEEDED; RESOURCE_EXHAUSTED for a request above 4 MiB. Throws CancellationError when the task is
    /// cancelled; a server of ours then cancels the call, others do not learn of it.
    public func unary(
        service: String, method: String, payload: [UInt8], options: CallOptions = CallOptions()
    ) async throws -> [UInt8] {
        let request = try outgoing(service, method, payload, options)
        let call = ClientCall(channel, isUnary: true)
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { call.hold($0, request, options.timeout) }
        } onCancel: {
            call.cancel()
        }
    }

    /// The same with descriptors in both directions (SCM_RIGHTS): copies of those given go with the request, and the
    /// handler is told that some may come with the answer. Both sides must take descriptors (`Limits.descriptors`); a
    /// server that does not drops them, and answers as if there were none.
    public func unary(
        service: String, method: String, payload: [UInt8], passing descriptors: [Int32],
        options: CallOptions = CallOptions()
    ) async throws -> (payload: [UInt8], descriptors: PassedDescriptors) {
        let copies = PassedDescriptors()
        for number in descriptors { try copies.add(try Descriptor(duplicating: number)) }
        var options = options
        options.metadata.entries.append(Metadata.Entry(key: PassedDescriptors.key, value: "1"))
        var request = try outgoing(service, method, payload, options)
        if copies.count > 0 { request.descriptors = copies }
        let (came, outgoing) = (PassedDescriptors(), request)
        let call = ClientCall(channel, isUnary: true, answerDescriptors: came)
        let answer = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { call.hold($0, outgoing, options.timeout) }
        } onCancel: {
            call.cancel()
        }
        return (answer, came)
    }

    /// Opens a stream. With a payload the caller sends nothing more (a server stream); without one it sends with
    /// `ClientStream.send` until `closeSend`. Returns when the request has been queued; throws as `unary` does.
    public func stream(
        service: String, method: String, payload: [UInt8]? = nil, options: CallOptions = CallOptions()
    ) async throws -> ClientStream {
        let request = try outgoing(service, method, payload ?? [], options)
        let channel = channel
        let call = ClientCall(channel)
        try await channel.reactor.suspend { (_, waiter: Waiter<Void>) in
            try channel.start(call, request, payload == nil ? .open : .closed, options.timeout) {
                waiter.finish(.success(()))
            }
            return { channel.abandon(call) }
        }
        return ClientStream(connection: self, call: call)
    }

    private func outgoing(
        _ service: String, _ method: String, _ payload: [UInt8], _ options: CallOptions
    ) throws -> OutgoingRequest {
        guard let timeout = options.timeoutNanoseconds else {
            throw RPCError(.deadlineExceeded, "the deadline has passed")
        }
        let request = OutgoingRequest(
            service: service, method: method, payload: payload, timeoutNanoseconds: timeout, metadata: options.metadata)
        guard request.encodedSize <= FrameHeader.maximumLength else {
            let limit = FrameHeader.maximumLength
            throw RPCError(
                .resourceExhausted, "a request of \(request.encodedSize) bytes is above the limit of \(limit)")
        }
        return request
    }

    /// Whether calls can no longer succeed. A connection that is about to close may not know yet.
    public var isClosed: Bool { channel.isGone.load(ordering: .acquiring) }

    /// Ends all calls with UNAVAILABLE and closes the socket.
    public func close() {
        let channel = channel
        channel.reactor.perform { channel.close() }
    }

    /// Returns when the connection has closed, from whichever side. Throws CancellationError.
    public func waitUntilClosed() async throws {
        let channel = channel
        try await channel.reactor.suspend { (_, waiter: Waiter<Void>) in channel.waitForClose(waiter) }
    }
}
