// SPDX-License-Identifier: Apache-2.0

/// Writes protobuf fields into memory that is large enough: whoever calls has summed up the `size`s before.
struct FieldWriter {
    private let start: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ start: UnsafeMutableRawPointer) {
        self.start = start
    }

    static func size(varint value: UInt64) -> Int {
        (70 - (value | 1).leadingZeroBitCount) / 7
    }

    /// Of a field with a one-byte tag.
    static func size(bytes count: Int) -> Int {
        1 + size(varint: UInt64(count)) + count
    }

    /// As `size(bytes:)`; 0 when there are none, because proto3 leaves an empty field out.
    static func size(nonEmpty count: Int) -> Int {
        count == 0 ? 0 : size(bytes: count)
    }

    static func size(number value: UInt64) -> Int {
        value == 0 ? 0 : 1 + size(varint: value)
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// Field numbers below 16 only.
    mutating func tag(_ number: UInt8, _ type: FieldReader.WireType) {
        byte(number << 3 | type.rawValue)
    }

    mutating func number(_ field: UInt8, _ value: UInt64) {
        if value == 0 { return }
        tag(field, .varint)
        varint(value)
    }

    mutating func nonEmpty(_ field: UInt8, _ bytes: [UInt8]) {
        if bytes.isEmpty { return }
        bytes.withUnsafeBytes { prefixed(field, $0) }
    }

    mutating func nonEmpty(_ field: UInt8, _ text: String) {
        if text.isEmpty { return }
        var text = text
        text.withUTF8 { prefixed(field, UnsafeRawBufferPointer($0)) }
    }

    /// The tag and length of a message whose fields follow.
    mutating func message(_ field: UInt8, _ size: Int) {
        tag(field, .bytes)
        varint(UInt64(size))
    }

    private mutating func prefixed(_ field: UInt8, _ bytes: UnsafeRawBufferPointer) {
        message(field, bytes.count)
        (start + count).copyMemory(from: bytes.baseAddress ?? UnsafeRawPointer(start), byteCount: bytes.count)
        count += bytes.count
    }

    private mutating func byte(_ value: UInt8) {
        (start + count).storeBytes(of: value, as: UInt8.self)
        count += 1
    }
}
