// SPDX-License-Identifier: Apache-2.0

/// The streams of one connection, as its client sees them: which ids they get, what each frame means, and what may
/// still be sent.
///
/// Pure, as `ServerStreams` is.
struct ClientStreams<Call> {
    /// What the client has told the server it will send.
    enum Output {
        /// Unary: exactly one response may come, and data is a violation.
        case unary
        case open
        case closed
    }

    enum Verdict {
        /// Nothing to do: the stream is unknown (given up, say), or the frame means nothing to a client.
        case ignore
        /// The data is a Response, and the stream is over.
        case response(Call)
        /// Hand the data to the call.
        case message(Call)
        /// The same, and the stream is over without an error.
        case lastMessage(Call)
        /// The stream is over without an error.
        case end(Call)
        /// The stream is over; the server has broken the protocol or its limits.
        case fail(Call, RPCError)
    }

    private struct Stream {
        var output: Output
        var call: Call
    }

    private var streams: [UInt32: Stream] = [:]
    /// nil: all have been used.
    private var nextID: UInt32?

    init(nextID: UInt32 = 1) {
        self.nextID = nextID
    }

    var count: Int { streams.count }

    /// A new stream, whose request has to be written before the next stream is opened. nil: the ids are used up.
    mutating func open(_ output: Output, _ call: Call) -> UInt32? {
        guard let id = nextID else { return nil }
        let (following, overflow) = id.addingReportingOverflow(2)
        nextID = overflow ? nil : following
        streams[id] = Stream(output: output, call: call)
        return id
    }

    mutating func receive(_ header: FrameHeader) -> Verdict {
        let id = header.streamID
        guard let stream = streams[id] else { return .ignore }
        switch header.type {
        case .response:
            streams[id] = nil
            return .response(stream.call)
        case .data:
            return receiveData(header, stream)
        default:
            return .ignore
        }
    }

    private mutating func receiveData(_ header: FrameHeader, _ stream: Stream) -> Verdict {
        let id = header.streamID
        if case .unary = stream.output {
            streams[id] = nil
            return .fail(stream.call, RPCError(.internal, "the server answered a unary call with a data frame"))
        }
        let carries = !header.flags.contains(.noData)
        if header.flags.contains(.remoteClosed) {
            streams[id] = nil
            return carries ? .lastMessage(stream.call) : .end(stream.call)
        }
        return carries ? .message(stream.call) : .ignore
    }

    /// A frame of more than 4 MiB, whose data is being skipped.
    mutating func receiveOversized(_ header: FrameHeader) -> Verdict {
        guard let stream = streams.removeValue(forKey: header.streamID) else { return .ignore }
        return .fail(
            stream.call,
            RPCError(
                .resourceExhausted,
                "a frame of \(header.length) bytes is above the limit of \(FrameHeader.maximumLength)"))
    }

    /// Whether a message may be sent. Never on a unary or finished stream: servers of ttrpc before 1.2.8 crash on that.
    func maySend(_ id: UInt32) -> Bool {
        if case .open? = streams[id]?.output { return true }
        return false
    }

    func isActive(_ id: UInt32) -> Bool { streams[id] != nil }

    /// Whether the closing frame has to be sent.
    mutating func closeOutput(_ id: UInt32) -> Bool {
        guard maySend(id) else { return false }
        streams[id]?.output = .closed
        return true
    }

    /// Forgets a stream; frames that still come for it are ignored.
    @discardableResult
    mutating func abandon(_ id: UInt32) -> Call? {
        streams.removeValue(forKey: id)?.call
    }

    /// The connection is gone. The calls to fail.
    mutating func removeAll() -> [Call] {
        let calls = streams.values.map(\.call)
        streams = [:]
        nextID = nil
        return calls
    }
}
