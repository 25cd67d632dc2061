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
        let outer = (source, fields)
        if isLifting {
            let count = count(field)
            let size = MemoryLayout<Key>.stride + MemoryLayout<Value>.stride + 1
            // A dictionary is at most three quarters full, and its size a power of two.
            guard count != 0, spend(2 * heapHeader + 3 * count * size, field) else { return }
            let entries = load(field, as: UnsafePointer<UnsafeRawPointer>.self)
            values.reserveCapacity(count)
            fields = inner
            for index in 0..<count where failure == nil {
                source = entries[index]
                var key = Key.unset
                var value = unset
                Key.walk(&self, 0, &key)
                walk(&self, &value)
                values[key] = value
            }
            (source, fields) = outer
            return
        }
        guard !values.isEmpty else { return }
        for (key, value) in values.sorted(by: { Key.precedes($1.key, $0.key) }) where failure == nil {
            guard let after = begin(field, -1) else { return }
            fields = inner
            isEntry = true
            var (key, value) = (key, value)
            walk(&self, &value)
            Key.walk(&self, 0, &key)
            fields = outer.1
            isEntry = false
            end(field, -1, after)
        }
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
