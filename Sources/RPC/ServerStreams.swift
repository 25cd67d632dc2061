// SPDX-License-Identifier: Apache-2.0

/// The streams of one connection, as its server sees them: what each frame means, and what may still be sent.
///
/// Pure: frames' headers go in, verdicts come out. `Call` is whatever the caller keeps for a stream.
struct ServerStreams<Call> {
    /// What the client may still send on a stream.
    enum Input {
        /// Nothing: the request carried the only message.
        case single
        case open
        /// Nothing any more.
        case closed
    }

    enum Verdict {
        /// Nothing to do.
        case ignore
        /// Answer the frame's stream id with this status.
        case reject(RPCError)
        /// The frame is a request that may start a stream: decode it, then `open` it.
        case request
        /// Hand the data to the call.
        case message(Call)
        /// The same, and no more messages come.
        case lastMessage(Call)
        /// No more messages come.
        case halfClose(Call)
        /// The stream is over, and the client wants no answer: cancel the call.
        case cancel(Call)
        /// The stream is over: cancel the call, and answer with this status.
        case fail(Call, RPCError)
    }

    private struct Stream {
        var input: Input
        var call: Call
    }

    private var streams: [UInt32: Stream] = [:]
    private(set) var lastID: UInt32 = 0

    init() {}

    var count: Int { streams.count }
    var isEmpty: Bool { streams.isEmpty }

    mutating func receive(_ header: FrameHeader) -> Verdict {
        let id = header.streamID
        // Before the type is looked at: servers of ttrpc 1.2 do the same.
        guard id & 1 == 1 else { return .reject(RPCError(.invalidArgument, "stream id \(id) is even")) }
        switch header.type {
        case .request:
            guard id > lastID else {
                return .reject(RPCError(.invalidArgument, "stream id \(id) is not above \(lastID)"))
            }
            // Used from here on, even if the request does not decode.
            lastID = id
            return .request
        case .data:
            return receiveData(header)
        case .cancel:
            // It may cross our answer: the stream is then unknown.
            return streams.removeValue(forKey: id).map { .cancel($0.call) } ?? .ignore
        default:
            return .ignore
        }
    }

    private mutating func receiveData(_ header: FrameHeader) -> Verdict {
        let id = header.streamID
        guard let stream = streams[id] else {
            return .reject(RPCError(.invalidArgument, "stream \(id) is not active"))
        }
        let closes = header.flags.contains(.remoteClosed)
        let carries = !header.flags.contains(.noData)
        if closes, header.length > 0 {
            return fail(id, "the closing frame of stream \(id) carries data")
        }
        guard carries || closes else { return .ignore }
        guard case .open = stream.input else {
            // Closing what is closed does no harm.
            return carries ? fail(id, "stream \(id) takes no more messages") : .ignore
        }
        if closes { streams[id]?.input = .closed }
        if carries { return closes ? .lastMessage(stream.call) : .message(stream.call) }
        return .halfClose(stream.call)
    }

    private mutating func fail(_ id: UInt32, _ message: String) -> Verdict {
        let error = RPCError(.invalidArgument, message)
        guard let stream = streams.removeValue(forKey: id) else { return .reject(error) }
        return .fail(stream.call, error)
    }

    /// A frame of more than 4 MiB, whose data is being skipped.
    mutating func receiveOversized(_ header: FrameHeader) -> Verdict {
        let error = RPCError(
            .resourceExhausted, "a frame of \(header.length) bytes is above the limit of \(FrameHeader.maximumLength)")
        guard let stream = streams.removeValue(forKey: header.streamID) else { return .reject(error) }
        return .fail(stream.call, error)
    }

    /// Starts the stream of a request that `receive` has let through.
    mutating func open(_ id: UInt32, _ input: Input, _ call: Call) {
        streams[id] = Stream(input: input, call: call)
    }

    func isActive(_ id: UInt32) -> Bool { streams[id] != nil }

    /// The stream ends from our side. Its call; nil if it had ended before, and nothing may be sent for it any more.
    mutating func finish(_ id: UInt32) -> Call? {
        streams.removeValue(forKey: id)?.call
    }

    /// The connection is gone. The calls to cancel.
    mutating func removeAll() -> [Call] {
        let calls = streams.values.map(\.call)
        streams = [:]
        return calls
    }
}
