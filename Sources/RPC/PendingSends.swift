// SPDX-License-Identifier: Apache-2.0

/// Frames that wait for room in a connection's output, in order.
struct PendingSends {
    typealias Token = UInt64

    struct Entry {
        fileprivate var token: Token
        fileprivate var streamID: UInt32
        /// Queues the frame.
        var send: () -> Void
        /// The frame will never be queued.
        var fail: () -> Void
    }

    private var entries: [Entry] = []
    private var lastToken: Token = 0

    init() {}

    var isEmpty: Bool { entries.isEmpty }

    mutating func append(
        _ streamID: UInt32, send: @escaping () -> Void, fail: @escaping () -> Void
    ) -> Token {
        lastToken += 1
        entries.append(Entry(token: lastToken, streamID: streamID, send: send, fail: fail))
        return lastToken
    }

    mutating func remove(_ token: Token) {
        entries.removeAll { $0.token == token }
    }

    /// The frame that has waited longest.
    mutating func takeFirst() -> Entry? {
        entries.isEmpty ? nil : entries.removeFirst()
    }

    /// Takes out the frames of a stream.
    mutating func takeAll(_ streamID: UInt32) -> [Entry] {
        let taken = entries.filter { $0.streamID == streamID }
        entries.removeAll { $0.streamID == streamID }
        return taken
    }

    mutating func takeAll() -> [Entry] {
        defer { entries = [] }
        return entries
    }
}
