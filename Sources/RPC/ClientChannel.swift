// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import Reactor
internal import Synchronization

/// The client's side of a connection: turns calls into frames, and frames into their results.
final class ClientChannel: Channel, @unchecked Sendable {
    private let path: String
    private var streams = ClientStreams<ClientCall>()
    /// For other threads.
    let isGone = Atomic<Bool>(false)
    /// The descriptors of the frame that is being looked at.
    private var arrived: PassedDescriptors?
    private var closeWaiters: [Waiter<Void>] = []

    init(reactor: Reactor, descriptor: consuming Descriptor, limits: Limits, path: String) {
        self.path = path
        super.init(reactor: reactor, descriptor: descriptor, limits: limits)
    }

    private var closed: RPCError { RPCError(.unavailable, "the connection to \(path) is closed") }

    // MARK: Calls

    /// Writes the request, now or when there is room. The call ends in one way or another, whatever happens.
    func start(
        _ call: ClientCall, _ request: OutgoingRequest, _ output: ClientStreams<ClientCall>.Output,
        _ timeout: Duration?,
        written: (() -> Void)? = nil
    ) throws {
        guard isOpen else { throw closed }
        if hasRoom {
            write(call, request, output)
            written?()
        } else {
            call.pendingSend = waitForRoom(0) { [self] in
                call.pendingSend = nil
                write(call, request, output)
                written?()
            } fail: { [self] in
                call.pendingSend = nil
                call.end(.failure(closed))
                written?()
            }
        }
        guard let timeout, call.outcome == nil else { return }
        call.deadlineTimer = reactor.schedule(.now + timeout) { [weak self, weak call] in
            guard let self, let call else { return }
            call.deadlineTimer = nil
            abandon(call, RPCError(.deadlineExceeded, "the deadline has passed"))
        }
    }

    private func write(
        _ call: ClientCall, _ request: OutgoingRequest, _ output: ClientStreams<ClientCall>.Output
    ) {
        guard let id = streams.open(output, call) else {
            return call.end(.failure(RPCError(.unavailable, "the connection to \(path) has used up its stream ids")))
        }
        call.streamID = id
        let flags: FrameFlags
        switch output {
        case .unary: flags = []
        case .open: flags = .remoteOpen
        case .closed: flags = .remoteClosed
        }
        queue(id, .request, flags, length: request.encodedSize, passing: request.descriptors) { request.encode(to: $0) }
    }

    /// The caller gives up. Servers of ours are told; others go on until their own timer ends.
    func abandon(_ call: ClientCall, _ error: any Error = CancellationError()) {
        if let pending = call.pendingSend.take() { stopWaiting(pending) }
        if call.streamID != 0 {
            if streams.abandon(call.streamID) != nil { queue(call.streamID, .cancel, [], length: 0) { _ in } }
            failSends(call.streamID)
        }
        // What nobody will take must not keep the connection from being read.
        call.dropMessages()
        call.end(.failure(error))
    }

    // MARK: Streams

    /// Why a message cannot be sent; nil when it can.
    func sendFailure(_ call: ClientCall) -> (any Error)? {
        if streams.maySend(call.streamID) { return nil }
        if case .failure(let error)? = call.outcome { return error }
        let ended = call.outcome != nil
        return RPCError(
            .failedPrecondition, ended ? "the server has ended the stream" : "the stream is closed for sending")
    }

    func send(_ call: ClientCall, _ message: [UInt8]) {
        guard streams.maySend(call.streamID) else { return }
        queue(call.streamID, .data, [], length: message.count) { target in
            message.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(start: target, count: $0.count).copyMemory(from: $0)
            }
        }
    }

    func closeSend(_ call: ClientCall) {
        guard streams.closeOutput(call.streamID) else { return }
        queue(call.streamID, .data, [.remoteClosed, .noData], length: 0) { _ in }
    }

    // MARK: Frames

    override func receive(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        arrived = nil
        if limits.descriptors > 0 {
            guard let passed = takePassed(header) else { return }
            arrived = passed
        }
        act(streams.receive(header), header, data)
    }

    override func receiveOversized(_ header: FrameHeader) {
        act(streams.receiveOversized(header), header, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private func act(
        _ verdict: ClientStreams<ClientCall>.Verdict, _ header: FrameHeader, _ data: UnsafeRawBufferPointer
    ) {
        switch verdict {
        case .ignore: break
        case .message(let call): call.receive([UInt8](data))
        case .lastMessage(let call):
            call.receive([UInt8](data))
            ended(call, header, .success(()))
        case .end(let call): ended(call, header, .success(()))
        case .fail(let call, let error): ended(call, header, .failure(error))
        case .response(let call):
            if let arrived { call.answerDescriptors?.adopt(arrived) }
            ended(call, header, respond(call, data))
        }
    }

    private func respond(_ call: ClientCall, _ data: UnsafeRawBufferPointer) -> Result<Void, any Error> {
        do throws(EnvelopeError) {
            switch try ResponseEnvelope(decoding: data) {
            case .payload(let payload):
                call.receive(payload)
                return .success(())
            case .status(let status):
                return .failure(status)
            }
        } catch {
            return .failure(RPCError(.internal, "the response does not decode: \(error)"))
        }
    }

    private func ended(_ call: ClientCall, _ header: FrameHeader, _ result: Result<Void, any Error>) {
        call.end(result)
        failSends(header.streamID)
    }

    // MARK: The end

    func waitForClose(_ waiter: Waiter<Void>) -> () -> Void {
        guard isOpen else {
            waiter.finish(.success(()))
            return {}
        }
        closeWaiters.append(waiter)
        return { self.closeWaiters.removeAll { $0 === waiter } }
    }

    override func didClose() {
        isGone.store(true, ordering: .releasing)
        for call in streams.removeAll() { call.end(.failure(closed)) }
        let waiters = closeWaiters
        closeWaiters = []
        for waiter in waiters { waiter.finish(.success(())) }
    }
}
