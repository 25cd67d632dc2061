// SPDX-License-Identifier: Apache-2.0

/// Messages that have been received and wait for their reader.
struct MessageQueue {
    /// What a waiting message costs beside its bytes; a flood of empty ones must count, too.
    private static let overhead = 64

    private var messages: [[UInt8]] = []
    /// The first message that has not been taken.
    private var head = 0

    init() {}

    static func cost(_ message: [UInt8]) -> Int { message.count + overhead }

    mutating func append(_ message: [UInt8]) {
        messages.append(message)
    }

    mutating func popFirst() -> [UInt8]? {
        guard head < messages.count else { return nil }
        let message = messages[head]
        messages[head] = []
        head += 1
        if head == messages.count {
            messages.removeAll(keepingCapacity: head < 64)
            head = 0
        } else if head > 1_024, head > messages.count / 2 {
            messages.removeFirst(head)
            head = 0
        }
        return message
    }

    /// Drops all, and returns what they cost.
    mutating func removeAll() -> Int {
        let cost = messages[head...].reduce(0) { $0 + Self.cost($1) }
        messages = []
        head = 0
        return cost
    }
}
