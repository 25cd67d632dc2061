// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// From C structs to Swift values; what the generated `init(copying:)` are made of.
enum Lift {
    /// The decoder has checked that it is UTF-8.
    static func text(_ data: ProtobufCBinaryData) -> String {
        guard let start = data.data else { return "" }
        let span = Span(_unsafeStart: UnsafePointer(start), count: data.len)
        return String(copying: UTF8Span(unchecked: span))
    }

    /// C's enums are unsigned as long as no value is negative.
    static func raw(_ value: UInt32) -> Int32 {
        Int32(bitPattern: value)
    }

    static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
    }

    static func unknown(_ base: ProtobufCMessage) -> [UInt8] {
        guard base.n_unknown_fields != 0, let field = base.unknown_fields else { return [] }
        return [UInt8](UnsafeBufferPointer(start: field.pointee.data, count: field.pointee.len))
    }

    static func texts(_ elements: UnsafePointer<ProtobufCBinaryData>?, _ count: Int) -> [String] {
        guard let elements, count != 0 else { return [] }
        return [String](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: text(elements[index])) }
            initialized = count
        }
    }

    static func byteArrays(_ elements: UnsafePointer<ProtobufCBinaryData>?, _ count: Int) -> [[UInt8]] {
        guard let elements else { return [] }
        return (0..<count).map { bytes(elements[$0]) }
    }

    static func bools(_ elements: UnsafePointer<protobuf_c_boolean>?, _ count: Int) -> [Bool] {
        guard let elements else { return [] }
        return (0..<count).map { elements[$0] != 0 }
    }

    static func scalars<T: BitwiseCopyable>(_ elements: UnsafePointer<T>?, _ count: Int) -> [T] {
        [T](UnsafeBufferPointer(start: elements, count: elements == nil ? 0 : count))
    }

    /// protobuf-c's enums are as wide as `int`.
    static func enums<T: WireEnum>(_ elements: UnsafeRawPointer?, _ count: Int) -> [T] {
        guard let elements else { return [] }
        return (0..<count).map { T(rawValue: elements.load(fromByteOffset: 4 * $0, as: Int32.self)) }
    }

    /// `elements`: an array of pointers to C structs.
    static func messages<M: Message>(_ elements: UnsafeRawPointer?, _ count: Int) -> [M] {
        guard let elements, count != 0 else { return [] }
        let pointers = elements.assumingMemoryBound(to: UnsafeRawPointer.self)
        let copy = M.schema.copy
        return [M](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: copy(pointers[index])) }
            initialized = count
        }
    }

    static func dictionary<Entry, Key: Hashable, Value>(
        _ entries: UnsafePointer<UnsafeMutablePointer<Entry>?>?, _ count: Int,
        _ convert: (UnsafeMutablePointer<Entry>) -> (Key, Value)
    ) -> [Key: Value] {
        guard let entries, count != 0 else { return [:] }
        var result: [Key: Value] = [:]
        result.reserveCapacity(count)
        for index in 0..<count {
            guard let entry = entries[index] else { continue }
            let (key, value) = convert(entry)
            result[key] = value
        }
        return result
    }
}
