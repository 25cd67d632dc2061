// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// What can be a map's key.
protocol WireMapKey: WireMapValue, Hashable {
    /// The order in which the entries are encoded: numbers by value, strings by their bytes.
    static func precedes(_ a: Self, _ b: Self) -> Bool
}

/// What can be a map's value beside messages.
protocol WireMapValue {
    static var unset: Self { get }
    static func walk(_ w: inout FieldWalk, _ field: Int, _ value: inout Self)
}

extension FieldWalk {
    mutating func map<Key: WireMapKey, Value: WireMapValue>(_ field: Int, _ values: inout [Key: Value]) {
        map(field, &values, Value.unset) { Value.walk(&$0, 1, &$1) }
    }

    mutating func map<Key: WireMapKey, Value: Message>(_ field: Int, _ values: inout [Key: Value]) {
        map(field, &values, Value(UnsetFields())) { $0.message(1, &$1) }
    }

    @inline(__always)
    private mutating func map<Key: WireMapKey, Value>(
        _ field: Int, _ values: inout [Key: Value], _ unset: Value, _ walk: (inout FieldWalk, inout Value) -> Void
    ) {
        let entry = fields[field].descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        guard let inner = entry.pointee.fields else { return }
        guard isEncoding else {
            let layout = entryLayout(field, Entry(key: Key.unset, value: unset), walk)
            return visit(field, .other, &values) { reader, field, base, _ in
                let values = (base + field.pointee.offset).assumingMemoryBound(to: [Key: Value].self)
                return reader.readEntries(&values.pointee, Entry(key: Key.unset, value: unset), layout)
            }
        }
        let outer = fields
        guard !values.isEmpty else { return }
        for (key, value) in values.sorted(by: { Key.precedes($1.key, $0.key) }) where failure == nil {
            guard let after = begin(field, -1) else { return }
            fields = inner
            isEntry = true
            var (key, value) = (key, value)
            walk(&self, &value)
            Key.walk(&self, 0, &key)
            fields = outer
            isEntry = false
            end(field, -1, after)
        }
    }
}

/// What comes for a map, one at a time.
struct Entry<Key, Value> {
    var key: Key
    var value: Value
}

extension FieldWalk {
    /// Of the entries of the map at `field`.
    private func entryLayout<Key: WireMapKey, Value>(
        _ field: Int, _ unset: Entry<Key, Value>, _ walk: (inout FieldWalk, inout Value) -> Void
    ) -> UnsafePointer<Layout>? {
        guard case .measuring(let outer, _) = purpose, let table = outer.pointee.table.pointee.fields[field].message
        else { return nil }
        var entry = unset
        return withUnsafeMutablePointer(to: &entry) { entry in
            let size = MemoryLayout<Entry<Key, Value>>.size
            return Layout.make(table, outer.pointee.message, UnsafeMutableRawPointer(entry), size) {
                walk(&$0, &entry.pointee.value)
                Key.walk(&$0, 0, &entry.pointee.key)
            }
        }
    }
}

extension ValueReader {
    /// Of entries with the same key the last one counts.
    fileprivate mutating func readEntries<Key: Hashable, Value>(
        _ values: inout [Key: Value], _ unset: Entry<Key, Value>, _ layout: UnsafePointer<Layout>?
    ) -> Bool {
        guard let layout else { return false }
        let tagSize = tag < 0x80 ? 1 : 2
        let count = countRun()
        for index in 0..<count {
            if index != 0 { at += tagSize }
            var entry = unset
            let isRead = withUnsafeMutablePointer(to: &entry) { readMessage(UnsafeMutableRawPointer($0), layout) }
            guard isRead else { return false }
            if values.count == values.capacity {
                // Not for the whole row: it may be one key again and again.
                let capacity = values.isEmpty ? min(count, 8) : 2 * values.count
                let size = MemoryLayout<Key>.stride + MemoryLayout<Value>.stride + 1
                // A dictionary is at most three quarters full, and its size a power of two.
                guard spend(2 * heapHeader + 3 * capacity * size) else { return false }
                values.reserveCapacity(capacity)
            }
            values[entry.key] = entry.value
        }
        return true
    }
}

extension WireMapValue where Self: WireNumber {
    static func walk(_ w: inout FieldWalk, _ field: Int, _ value: inout Self) { w.number(field, &value) }
}

extension WireMapKey where Self: Comparable {
    static func precedes(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension Int32: WireMapKey { static var unset: Int32 { 0 } }
extension Int64: WireMapKey { static var unset: Int64 { 0 } }
extension UInt32: WireMapKey { static var unset: UInt32 { 0 } }
extension UInt64: WireMapKey { static var unset: UInt64 { 0 } }
extension Double: WireMapValue { static var unset: Double { 0 } }

extension Bool: WireMapKey {
    static var unset: Bool { false }
    static func precedes(_ a: Bool, _ b: Bool) -> Bool { !a && b }
}

extension String: WireMapKey {
    static var unset: String { "" }
    static func walk(_ w: inout FieldWalk, _ field: Int, _ value: inout String) { w.text(field, &value) }
    static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

extension [UInt8]: WireMapValue {
    static var unset: [UInt8] { [] }
    static func walk(_ w: inout FieldWalk, _ field: Int, _ value: inout [UInt8]) { w.bytes(field, &value) }
}
