// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// Decodes: fills values straight from the bytes, in one pass, by the layouts of their types.
///
/// It knows what to do with every message that may be accepted, and of all others only that they are not: then the
/// decoder in C is asked for what is wrong and where. That one is also asked about required fields, if a message came
/// without one of them: another piece of it may have brought it.
///
/// Every function leaves `at` behind what it has read, and at most at `end`; after false nothing more is read.
struct ValueReader: ~Copyable {
    let start: UnsafePointer<UInt8>
    var at: UnsafePointer<UInt8>
    /// Of the message that is read.
    var end: UnsafePointer<UInt8>
    /// Of the message that is read, below the root.
    var level = 0
    /// The field that is read, as it came.
    var tag: UInt32 = 0
    /// Bytes that may still be allocated.
    var budget: Int
    /// A message came without a field that it must have.
    var isSuspect = false
    /// What became of a member of a oneof.
    var hasFilled = true

    /// The budget did not suffice: where, and from that field up to the root.
    var isExhausted = false
    private var path: [(field: UnsafePointer<ProtobufCFieldDescriptor>?, index: Int)] = []
    var failedElement = -1

    init(_ bytes: UnsafeRawBufferPointer, budget: Int) {
        // No byte is read of an empty input; the pointer must be one.
        start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(ValueReader.nothing)
        at = start
        end = start + bytes.count
        self.budget = budget
    }

    private nonisolated(unsafe) static let nothing = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

    // MARK: messages

    /// Up to `end`, into the value at `base`, which may hold something already: pieces of a message merge.
    mutating func readFields(_ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>) -> Bool {
        var seen: UInt64 = 0
        while at < end {
            let first = at
            guard readTag() else { return false }
            if let field = layout.pointee.field(tag >> 3),
                tag == field.pointee.tag || (field.pointee.isPackable && tag & 7 == 2)
            {
                seen |= field.pointee.required
                guard read(field, base, layout) else {
                    trace(field, layout)
                    return false
                }
            } else {
                guard keepUnknown(first, base, layout) else { return false }
            }
        }
        if layout.pointee.required & ~seen != 0 { isSuspect = true }
        return true
    }

    /// A message with its length in front.
    mutating func readMessage(_ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>) -> Bool {
        guard let size = readLength(), level < Int(CP_MAX_DEPTH) else { return false }
        let outer = end
        end = at + size
        level += 1
        let isRead = readFields(base, layout)
        level -= 1
        end = outer
        return isRead
    }

    /// `count` messages that follow each other with the same tag, of which the first was read. `stride`: 0 if there is
    /// but one.
    @inline(never)
    mutating func readMessages(
        _ first: UnsafeMutableRawPointer, _ count: Int, stride: Int, _ layout: UnsafePointer<Layout>
    ) -> Bool {
        let tagSize = tag < 0x80 ? 1 : 2
        for index in 0..<count {
            if index != 0 { at += tagSize }
            guard readMessage(first + index * stride, layout) else {
                if isExhausted && stride != 0 { failedElement = index }
                return false
            }
        }
        return true
    }

    /// How many fields with this tag and a length stand here in a row, this one counted, whose tag was read. At least 1.
    func countRun() -> Int {
        var count = 1
        guard tag < 0x4000 else { return count }
        let tagSize = tag < 0x80 ? 1 : 2
        let low = UInt8(truncatingIfNeeded: tag < 0x80 ? tag : tag & 0x7f | 0x80)
        let high = UInt8(truncatingIfNeeded: tag >> 7)
        var p = at
        while let (next, size) = ValueReader.length(p, end), end - next - size > tagSize {
            p = next + size
            guard p[0] == low, tagSize == 1 || p[1] == high else { break }
            p += tagSize
            count += 1
        }
        return count
    }

    // MARK: failures

    /// Takes from the budget; false if nothing is left.
    @inline(__always)
    mutating func spend(_ bytes: Int) -> Bool {
        budget -= bytes
        if budget < 0 { isExhausted = true }
        return budget >= 0
    }

    /// Makes room for `count` more elements.
    mutating func grow<T>(_ array: inout [T], by count: Int) -> Bool {
        let capacity = max(array.count + count, 2 * array.capacity)
        guard spend(heapHeader + capacity * MemoryLayout<T>.stride) else { return false }
        array.reserveCapacity(capacity)
        return true
    }

    private mutating func trace(_ field: UnsafePointer<FieldLayout>, _ layout: UnsafePointer<Layout>) {
        guard isExhausted else { return }
        path.append((field.pointee.descriptor(layout.pointee.table), failedElement))
        failedElement = -1
    }

    /// Throws what is wrong with the message, if it is; call if it was not read, or is suspect.
    func judge(
        _ bytes: UnsafeRawBufferPointer, _ table: UnsafePointer<cp_message>, isRead: Bool, memoryLimit: Int
    ) throws(WireError) {
        let exhausted = WireError(
            .memoryLimit, offset: at - start, messageName: Codec.fullName(table), path: fieldPath(path.reversed()))
        guard !isExhausted else { throw exhausted }
        let codec = Codec(memoryLimit: isRead ? budget : memoryLimit)
        _ = try codec.decode(table, bytes)
        guard !isRead else { return }
        assertionFailure("the two decoders do not agree")
        throw exhausted
    }
}
