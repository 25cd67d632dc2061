// SPDX-License-Identifier: Apache-2.0

/// An envelope that is not what it should be: at which byte, and why.
struct EnvelopeError: Error, Hashable, CustomStringConvertible {
    var offset: Int
    var reason: String

    var description: String { "\(reason) at byte \(offset)" }
}

/// Reads the fields of one protobuf message where they lie (the wire format is protobuf's "Encoding" page).
///
/// Only for the envelopes of RPC, five messages of seven fields: the messages that they carry are somebody else's.
struct FieldReader {
    enum WireType: UInt8 {
        case varint = 0, fixed64 = 1, bytes = 2, groupStart = 3, groupEnd = 4, fixed32 = 5
    }

    private let input: UnsafeRawBufferPointer
    /// Where the input starts in the whole message, for errors.
    private let base: Int
    private var position = 0
    /// Groups inside groups that are skipped; the reference implementations allow 100 levels as well.
    private static let depthLimit = 100

    init(_ input: UnsafeRawBufferPointer, base: Int = 0) {
        self.input = input
        self.base = base
    }

    /// The place of the next byte in the whole message.
    var offset: Int { base + position }

    func failure(_ reason: String) -> EnvelopeError {
        EnvelopeError(offset: offset, reason: reason)
    }

    /// The next field's number and type; nil at the end.
    mutating func next() throws(EnvelopeError) -> (number: UInt32, type: WireType)? {
        if position == input.count { return nil }
        let start = self
        let tag = try varint()
        guard tag >> 3 >= 1, tag >> 3 < 1 << 29 else { throw start.failure("field number out of range") }
        guard let type = WireType(rawValue: UInt8(tag & 7)) else { throw start.failure("unknown wire type") }
        return (UInt32(tag >> 3), type)
    }

    mutating func varint() throws(EnvelopeError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < input.count else { throw failure("the message ends in a number") }
            let byte = input[position]
            guard shift < 63 || byte <= 1 else { throw failure("a number has more than 64 bits") }
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A length and that many bytes.
    mutating func bytes() throws(EnvelopeError) -> UnsafeRawBufferPointer {
        let start = self
        let length = try varint()
        guard length <= UInt64(input.count - position) else {
            throw start.failure("a field is longer than its message")
        }
        let field = UnsafeRawBufferPointer(rebasing: input[position..<(position + Int(length))])
        position += Int(length)
        return field
    }

    /// A field of bytes that has to be UTF-8.
    mutating func text() throws(EnvelopeError) -> String {
        let start = self
        let field = try bytes()
        guard let text = String(validating: field, as: UTF8.self) else { throw start.failure("a string is not UTF-8") }
        return text
    }

    /// A reader of the message in the field.
    mutating func message() throws(EnvelopeError) -> FieldReader {
        let field = try bytes()
        return FieldReader(field, base: offset - field.count)
    }

    /// Passes over a field that nobody knows.
    mutating func skip(_ field: (number: UInt32, type: WireType)) throws(EnvelopeError) {
        var open: [UInt32] = []
        var current = field
        while true {
            switch current.type {
            case .varint: _ = try varint()
            case .fixed64: try advance(8)
            case .bytes: _ = try bytes()
            case .fixed32: try advance(4)
            case .groupStart:
                guard open.count < Self.depthLimit else { throw failure("groups are nested too deeply") }
                open.append(current.number)
            case .groupEnd:
                guard open.popLast() == current.number else { throw failure("a group ends that has not begun") }
            }
            if open.isEmpty { return }
            guard let following = try next() else { throw failure("the message ends in a group") }
            current = following
        }
    }

    private mutating func advance(_ count: Int) throws(EnvelopeError) {
        guard input.count - position >= count else { throw failure("the message ends in a number") }
        position += count
    }
}
