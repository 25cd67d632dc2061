// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// The pieces of which the wire format is made. No byte at or behind `end` is read.
extension ValueReader {
    /// Five bytes at most, of which bits beyond 32 are dropped, as the reference does.
    @inline(__always)
    mutating func readTag() -> Bool {
        let first = at[0]
        if first < 0x80 {
            tag = UInt32(first)
            at += 1
            return true
        }
        guard let value = readLong(5) else { return false }
        tag = UInt32(truncatingIfNeeded: value)
        return true
    }

    /// Ten bytes at most.
    @inline(__always)
    mutating func readVarint() -> UInt64? {
        guard at < end else { return nil }
        let first = at[0]
        guard first >= 0x80 else {
            at += 1
            return UInt64(first)
        }
        return readLong(10)
    }

    @inline(never)
    private mutating func readLong(_ size: Int) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<min(size, end - at) {
            let byte = at[index]
            value |= UInt64(byte & 0x7f) &<< UInt64(7 * index)
            if byte < 0x80 {
                at += index + 1
                return value
            }
        }
        return nil
    }

    /// Of what follows; so much is there.
    @inline(__always)
    mutating func readLength() -> Int? {
        guard let (next, size) = ValueReader.length(at, end) else { return nil }
        at = next
        return size
    }

    /// Five bytes at most, below 2 GiB, and no more than there is.
    @inline(__always)
    static func length(
        _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> (next: UnsafePointer<UInt8>, size: Int)? {
        let room = end - p
        guard room > 0 else { return nil }
        let first = Int(p[0])
        if first < 0x80 { return first < room ? (p + 1, first) : nil }
        return longLength(p, end)
    }

    @inline(never)
    private static func longLength(
        _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> (next: UnsafePointer<UInt8>, size: Int)? {
        let room = end - p
        var size = 0
        for index in 0..<min(5, room) {
            size |= Int(p[index] & 0x7f) << (7 * index)
            guard p[index] < 0x80 else { continue }
            return size <= Int(Int32.max) && size < room - index ? (p + index + 1, size) : nil
        }
        return nil
    }

    /// A number's own bits.
    @inline(__always)
    mutating func readBits(_ form: FieldLayout.Form) -> UInt64? {
        switch form {
        case .varint: return readVarint()
        case .zigzag32:
            guard let bits = readVarint() else { return nil }
            let low = UInt32(truncatingIfNeeded: bits)
            return UInt64(low >> 1 ^ (0 &- low & 1))
        case .zigzag64:
            guard let bits = readVarint() else { return nil }
            return bits >> 1 ^ (0 &- bits & 1)
        case .fixed32:
            guard end - at >= 4 else { return nil }
            defer { at += 4 }
            return UInt64(UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
        case .fixed64:
            guard end - at >= 8 else { return nil }
            defer { at += 8 }
            return UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
        case .none: return nil
        }
    }

    // MARK: strings and bytes

    @inline(__always)
    mutating func readText() -> String? {
        guard let size = readLength() else { return nil }
        let content = at
        let isASCII = ValueReader.isASCII(content, size)
        guard isASCII || cp_utf8_check(content, content + size) == content + size else { return nil }
        // Up to 15 bytes lie in the string itself.
        guard size <= 15 || spend(heapHeader + size) else { return nil }
        at += size
        return String(
            copying: UTF8Span(unchecked: Span(_unsafeStart: content, count: size), isKnownASCII: isASCII))
    }

    @inline(__always)
    private static func isASCII(_ content: UnsafePointer<UInt8>, _ size: Int) -> Bool {
        let content = UnsafeRawPointer(content)
        var bits: UInt64 = 0
        if size >= 8 {
            var index = 0
            while index < size - 8 {
                bits |= content.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                index += 8
            }
            bits |= content.loadUnaligned(fromByteOffset: size - 8, as: UInt64.self)
        } else if size >= 4 {
            bits = UInt64(content.loadUnaligned(as: UInt32.self))
            bits |= UInt64(content.loadUnaligned(fromByteOffset: size - 4, as: UInt32.self))
        } else {
            for index in 0..<size { bits |= UInt64(content.load(fromByteOffset: index, as: UInt8.self)) }
        }
        return bits & 0x8080_8080_8080_8080 == 0
    }

    mutating func readBytes() -> [UInt8]? {
        guard let size = readLength() else { return nil }
        guard size != 0 else { return [] }
        guard spend(heapHeader + size) else { return nil }
        defer { at += size }
        return [UInt8](UnsafeBufferPointer(start: at, count: size))
    }

    // MARK: unknown fields

    /// A field that was not declared, or came with another wire type; its tag stands at `first`.
    @inline(never)
    mutating func keepUnknown(
        _ first: UnsafePointer<UInt8>, _ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>
    ) -> Bool {
        let size = cp_field_size(first, end - first, UInt32(level))
        guard size != 0 else { return false }
        at = first + size
        guard layout.pointee.unknown >= 0 else { return true }
        // In its shortest form, which is how the reference encodes it again; for a moment it is there twice.
        let room = size + Int(CP_FIELD_SLACK)
        guard size < 1024 || spend(room) else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { copy in
            guard let to = copy.baseAddress else { return false }
            let count = cp_copy_field(first, size, to)
            return append(UnsafeBufferPointer(start: to, count: count), base, layout)
        }
    }

    /// An undeclared value of a closed enum.
    @inline(never)
    mutating func keepUnknown(
        enumValue bits: UInt64, _ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>
    ) -> Bool {
        guard layout.pointee.unknown >= 0 else { return true }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 15) { copy in
            var count = 0
            for number in [UInt64(tag & ~7), bits] {
                var rest = number
                while rest >= 0x80 {
                    copy[count] = UInt8(truncatingIfNeeded: rest) | 0x80
                    rest >>= 7
                    count += 1
                }
                copy[count] = UInt8(rest)
                count += 1
            }
            return append(UnsafeBufferPointer(rebasing: copy[..<count]), base, layout)
        }
    }

    private mutating func append(
        _ field: UnsafeBufferPointer<UInt8>, _ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>
    ) -> Bool {
        let kept = (base + layout.pointee.unknown).assumingMemoryBound(to: [UInt8].self)
        guard kept.pointee.count + field.count <= kept.pointee.capacity || grow(&kept.pointee, by: field.count) else {
            return false
        }
        kept.pointee.append(contentsOf: field)
        return true
    }
}
