// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import Reactor
internal import Synchronization

/// One accepted connection: turns frames into calls, and their results into frames.
final class ServerConnection: Channel, @unchecked Sendable {
    let peer: PeerCredentials
    private let server: ServerCore
    private var streams = ServerStreams<ServerCall>()
    /// Handlers that run, whether or not their streams are still open.
    private var handlers = 0
    private var requestBytes = 0
    private var resultBytes = 0
    private var drains = false
    /// What the metrics know of.
    private var countedStreams = 0
    /// The descriptors of the frame that is being looked at. Unless it begins a call, nobody takes them.
    private var arrived = PassedDescriptors.none

    /// Calls that a connection may have running whatever the others do.
    private static let callShare = 4

    init(server: ServerCore, descriptor: consuming Descriptor, peer: PeerCredentials) {
        self.server = server
        self.peer = peer
        super.init(
            reactor: server.reactor, descriptor: descriptor, limits: server.limits, budget: server.budget)
    }

    override var otherBytes: Int { requestBytes + resultBytes }

    override func didCount() {
        guard let metrics = server.metrics, streams.count != countedStreams else { return }
        metrics.streams.wrappingAdd(streams.count - countedStreams, ordering: .relaxed)
        countedStreams = streams.count
    }

    override func noteMisuse() {
        super.noteMisuse()
        server.metrics?.refusals.wrappingAdd(1, ordering: .relaxed)
    }

    var interceptors: InterceptorChain { server.interceptors }

    var streamCount: Int { streams.count }

    // MARK: Frames

    override func receive(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        if limits.descriptors > 0 {
            guard let passed = takePassed(header) else { return }
            arrived = passed
        }
        switch streams.receive(header) {
        case .request: request(header, data)
        case .message(let call): call.receive(data)
        case .lastMessage(let call):
            call.receive(data)
            call.endInput()
        case .halfClose(let call): call.endInput()
        case let verdict: refuse(header, verdict)
        }
    }

    override func receiveOversized(_ header: FrameHeader) {
        refuse(header, streams.receiveOversized(header))
    }

    private func refuse(_ header: FrameHeader, _ verdict: ServerStreams<ServerCall>.Verdict) {
        noteMisuse()
        switch verdict {
        case .reject(let error): respond(header.streamID, .status(error))
        case .fail(let call, let error): abort(call, error)
        case .cancel(let call): drop(call)
        default: break
        }
    }

    private func request(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        let envelope: RequestEnvelope
        do throws(EnvelopeError) {
            envelope = try RequestEnvelope(decoding: data)
        } catch {
            let failure = RPCError(.invalidArgument, "the request does not decode: \(error)")
            noteMisuse()
            return respond(header.streamID, .status(failure))
        }
        guard let method = server.routes.find(envelope.service, envelope.method) else {
            noteMisuse()
            return respond(header.streamID, .status(server.routes.unknown(envelope.service, envelope.method)))
        }
        if let refusal = refusal(envelope, data.count) {
            noteMisuse()
            return respond(header.streamID, .status(refusal))
        }
        start(header, method, envelope, data.count)
    }

    /// Why a call cannot run now.
    private func refusal(_ envelope: RequestEnvelope, _ size: Int) -> RPCError? {
        if drains { return RPCError(.unavailable, "the server is shutting down") }
        if envelope.timeoutNanoseconds < 0 { return RPCError(.deadlineExceeded, "the deadline has passed") }
        if handlers >= limits.streams {
            return RPCError(.resourceExhausted, "\(handlers) calls run on this connection, which is the limit")
        }
        if requestBytes > 0, requestBytes + size > limits.requestBytes {
            return RPCError(.resourceExhausted, "the calls on this connection hold \(requestBytes) bytes of requests")
        }
        if server.pool.running >= limits.calls, handlers >= Self.callShare {
            return RPCError(.resourceExhausted, "\(server.pool.running) calls run, which is the limit")
        }
        return nil
    }

    private func start(_ header: FrameHeader, _ method: Router.Method, _ envelope: RequestEnvelope, _ size: Int) {
        let deadline = deadline(envelope.timeoutNanoseconds)
        var context = CallContext(
            id: server.nextCallID(), service: method.service, method: method.name, metadata: envelope.metadata,
            deadline: deadline, peer: peer)
        context.methodIndex = method.index
        if server.interceptors.needsTime { context.started = .now }
        context.connection = self
        if limits.descriptors > 0 {
            context.descriptors = arrived
            arrived = .none
            if !envelope.metadata[PassedDescriptors.key].isEmpty { context.answerDescriptors = PassedDescriptors() }
        }
        if let immediate = method.immediate, server.interceptors.isSynchronous {
            return answer(header.streamID, envelope.payload, context, immediate)
        }
        let call = ServerCall(
            connection: self, streamID: header.streamID, shape: method.shape, context: context, requestBytes: size,
            invocation: method.prepare(envelope.payload))
        streams.open(header.streamID, input(header, method.shape), call)
        if method.shape == .clientStream || method.shape == .bidirectional {
            // A payload is the first message already; an empty one means that there is none.
            if !envelope.payload.isEmpty { call.receive(envelope.payload) }
            if header.flags.contains(.remoteClosed) { call.endInput() }
        }
        if let deadline {
            call.deadlineTimer = reactor.schedule(deadline) { [weak self, weak call] in
                guard let self, let call else { return }
                abort(call, RPCError(.deadlineExceeded, "the deadline has passed"))
            }
        }
        handlers += 1
        requestBytes += size
        server.pool.run(call)
    }

    /// 0: the caller waits for ever.
    private func deadline(_ timeout: Int64) -> ContinuousClock.Instant? {
        let asked = timeout == 0 ? nil : Duration.nanoseconds(timeout)
        guard let limit = limits.callTime else { return asked.map { .now + $0 } }
        return .now + min(asked ?? limit, limit)
    }

    /// A call that is over before the next frame is looked at, and leaves no trace.
    private func answer(
        _ streamID: UInt32, _ payload: UnsafeRawBufferPointer, _ context: CallContext, _ handle: Router.Immediate
    ) {
        do {
            let result = try server.interceptors.run(context) { try handle(payload, context) }
            respond(streamID, .payload(result), context.answerDescriptors)
        } catch {
            respond(streamID, .status(RPCError(describing: error)))
        }
    }

    private func input(_ header: FrameHeader, _ shape: Router.Shape) -> ServerStreams<ServerCall>.Input {
        switch shape {
        case .unary, .serverStream: .single
        case .clientStream, .bidirectional: header.flags.contains(.remoteClosed) ? .closed : .open
        }
    }

    // MARK: Results

    /// Whether the call may queue a frame at once. A call that is over may: nothing will come of it.
    func isRoomy(for call: ServerCall) -> Bool {
        hasRoom || call.isOver
    }

    /// The call's result waits for room until its handler returns.
    func hold(_ call: ServerCall) {
        resultBytes += call.resultBytes
        count()
    }

    func waitForRoom(_ call: ServerCall, _ waiter: Waiter<Void>, _ send: @escaping () -> Void) -> () -> Void {
        let token = waitForRoom(call.streamID) {
            send()
            waiter.finish(.success(()))
        } fail: {
            waiter.finish(.failure(CancellationError()))
        }
        return { self.stopWaiting(token) }
    }

    func send(_ call: ServerCall, _ message: [UInt8]) {
        guard streams.isActive(call.streamID) else { return }
        queue(call.streamID, .data, [], length: message.count) { target in
            message.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(start: target, count: $0.count).copyMemory(from: $0)
            }
        }
    }

    /// The handler has returned without an error.
    func finish(_ call: ServerCall, _ result: [UInt8]) {
        guard streams.finish(call.streamID) != nil else { return }
        switch call.shape {
        case .unary, .clientStream: respond(call.streamID, .payload(result), call.context.answerDescriptors)
        case .serverStream, .bidirectional:
            queue(call.streamID, .data, [.remoteClosed, .noData], length: 0) { _ in }
        }
        call.end()
        closeIfDrained()
    }

    /// The handler has thrown.
    func fail(_ call: ServerCall, _ error: RPCError) {
        guard streams.finish(call.streamID) != nil else { return }
        respond(call.streamID, .status(error))
        call.end()
        closeIfDrained()
    }

    /// The call ends whatever its handler does; that is cancelled, and its result dropped.
    private func abort(_ call: ServerCall, _ error: RPCError) {
        _ = streams.finish(call.streamID)
        respond(call.streamID, .status(error))
        failSends(call.streamID)
        call.cancel()
        closeIfDrained()
    }

    /// The caller has given up: nobody waits for an answer.
    private func drop(_ call: ServerCall) {
        failSends(call.streamID)
        call.cancel()
        closeIfDrained()
    }

    private func respond(
        _ streamID: UInt32, _ response: ResponseEnvelope, _ descriptors: PassedDescriptors? = nil
    ) {
        var (response, descriptors) = (response, descriptors)
        if descriptors?.count == 0 { descriptors = nil }
        if response.encodedSize > FrameHeader.maximumLength {
            let limit = FrameHeader.maximumLength
            descriptors = nil
            response = .status(
                RPCError(
                    .resourceExhausted, "a response of \(response.encodedSize) bytes is above the limit of \(limit)"))
        }
        queue(streamID, .response, [], length: response.encodedSize, passing: descriptors) { response.encode(to: $0) }
    }

    // MARK: Bookkeeping

    func handlerReturned(_ call: ServerCall) {
        handlers -= 1
        requestBytes -= call.requestBytes
        resultBytes -= call.resultBytes
        count()
    }

    /// Takes no new calls, and closes when those in flight have been answered.
    func drain() {
        drains = true
        closeIfDrained()
    }

    private func closeIfDrained() {
        if drains, streams.isEmpty { needTurnEnd() }
    }

    override func didFlush() {
        if drains, streams.isEmpty, !hasUnsentBytes { close() }
    }

    override func didClose() {
        for call in streams.removeAll() { call.cancel() }
        server.didClose(self)
    }
}
