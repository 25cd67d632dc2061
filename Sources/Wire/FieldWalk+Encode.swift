// SPDX-License-Identifier: Apache-2.0
internal import CProto

extension FieldWalk {
    /// Bytes that were written.
    var written: Int { buffer.count - start }

    var encoded: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[start...])
    }

    /// Makes room for `size` bytes in front of what was written. False after a failure.
    @inline(__always)
    mutating func reserve(_ size: Int, _ field: Int) -> Bool {
        if start >= size { return true }
        return grow(size, field)
    }

    @inline(never)
    private mutating func grow(_ size: Int, _ field: Int) -> Bool {
        let used = written
        guard failure == nil else { return false }
        guard size <= Int(Int32.max) - used else {
            fail(.tooLarge, field)
            return false
        }
        let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 2 * (used + size))
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(larger)[(larger.count - used)...])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[start...]))
        FieldWalk.giveBack(buffer)
        buffer = larger
        start = larger.count - used
        return true
    }

    /// Room must have been reserved: ten bytes at most.
    @inline(__always)
    mutating func putVarint(_ value: UInt64) {
        guard let base = buffer.baseAddress else { return }
        if value < 0x80 {
            start -= 1
            base[start] = UInt8(truncatingIfNeeded: value)
        } else {
            putLongVarint(value, base)
        }
    }

    private mutating func putLongVarint(_ value: UInt64, _ base: UnsafeMutablePointer<UInt8>) {
        let size = (64 - value.leadingZeroBitCount + 6) / 7
        start -= size
        var at = start
        var value = value
        while value >= 0x80 {
            base[at] = UInt8(truncatingIfNeeded: value) | 0x80
            value >>= 7
            at += 1
        }
        base[at] = UInt8(truncatingIfNeeded: value)
    }

    @inline(__always)
    mutating func putTag(_ field: Int, _ wireType: UInt32) {
        putVarint(UInt64(fields[field].id << 3 | wireType))
    }

    /// Is it left out? A field without presence is, if it is zero.
    @inline(__always)
    func omits(_ field: Int) -> Bool {
        fields[field].label == PROTOBUF_C_LABEL_NONE && !isEntry
            && fields[field].flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) == 0
    }

    /// A number of any type; `bits` are its own, those of a signed one extended to 64.
    @inline(never)
    mutating func put(_ bits: UInt64, _ field: Int) {
        guard reserve(16, field) else { return }
        putTag(field, putValue(bits, field))
    }

    /// The same without a tag; gives the wire type. Room must have been reserved: ten bytes at most.
    @inline(__always)
    private mutating func putValue(_ bits: UInt64, _ field: Int) -> UInt32 {
        switch fields[field].type {
        case PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT:
            put(fixed: bits, 4)
            return 5
        case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_DOUBLE:
            put(fixed: bits, 8)
            return 1
        case PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SINT64:
            putVarint(bits << 1 ^ UInt64(bitPattern: Int64(bitPattern: bits) >> 63))
            return 0
        default:
            putVarint(bits)
            return 0
        }
    }

    /// All numbers of a repeated field, the last one first.
    @inline(__always)
    mutating func put(each count: Int, _ field: Int, _ bits: (Int) -> UInt64) {
        guard count != 0 else { return }
        let after = written
        let isPacked = fields[field].flags & UInt32(PROTOBUF_C_FIELD_FLAG_PACKED.rawValue) != 0
        for index in (0..<count).reversed() {
            if isPacked { putPacked(bits(index), field) } else { put(bits(index), field) }
        }
        if isPacked { putLength(after, field) }
    }

    @inline(never)
    private mutating func putPacked(_ bits: UInt64, _ field: Int) {
        if reserve(16, field) { _ = putValue(bits, field) }
    }

    /// Of what was written since `after`, and the field's tag.
    @inline(never)
    mutating func putLength(_ after: Int, _ field: Int) {
        guard reserve(16, field) else { return }
        putVarint(UInt64(written - after))
        putTag(field, 2)
    }

    private mutating func put(fixed bits: UInt64, _ size: Int) {
        guard let base = buffer.baseAddress else { return }
        start -= size
        for index in 0..<size { base[start + index] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * index)) }
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer, _ field: Int) {
        guard bytes.count <= Int(Int32.max), reserve(bytes.count + 10, field), let base = buffer.baseAddress else {
            if failure == nil { fail(.tooLarge, field) }
            return
        }
        start -= bytes.count
        if let content = bytes.baseAddress, bytes.count != 0 {
            UnsafeMutableRawPointer(base + start).copyMemory(from: content, byteCount: bytes.count)
        }
        putVarint(UInt64(bytes.count))
        putTag(field, 2)
    }

    @inline(never)
    mutating func put(_ text: String, _ field: Int) {
        let utf8 = text.utf8
        let done: Void? = utf8.withContiguousStorageIfAvailable { put(UnsafeRawBufferPointer($0), field) }
        // Strings in another form come from Foundation, and not on Linux.
        if done == nil { Array(utf8).withUnsafeBytes { put($0, field) } }
    }
}
