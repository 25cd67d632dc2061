// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A number as it is in C structs and in Swift.
protocol WireNumber: BitwiseCopyable {
    /// What a varint carries.
    var wireBits: UInt64 { get }
    static func load(_ place: UnsafeRawPointer) -> Self
}

extension WireNumber {
    static func load(_ place: UnsafeRawPointer) -> Self { place.load(as: Self.self) }
}

extension Int32: WireNumber { var wireBits: UInt64 { UInt64(bitPattern: Int64(self)) } }
extension Int64: WireNumber { var wireBits: UInt64 { UInt64(bitPattern: self) } }
extension UInt32: WireNumber { var wireBits: UInt64 { UInt64(self) } }
extension UInt64: WireNumber { var wireBits: UInt64 { self } }
extension Float: WireNumber { var wireBits: UInt64 { UInt64(bitPattern) } }
extension Double: WireNumber { var wireBits: UInt64 { bitPattern } }
extension Bool: WireNumber {
    var wireBits: UInt64 { self ? 1 : 0 }
    static func load(_ place: UnsafeRawPointer) -> Bool { place.load(as: protobuf_c_boolean.self) != 0 }
}

// MARK: numbers

extension FieldWalk {
    /// A field that always has a value: required, or without presence.
    mutating func number<N: WireNumber>(_ field: Int, _ value: inout N) {
        if isLifting {
            value = N.load(place(field))
        } else {
            let bits = value.wireBits
            if bits != 0 || !omits(field) { put(bits, field) }
        }
    }

    mutating func optional<N: WireNumber>(_ field: Int, _ value: inout N?) {
        if isLifting {
            if has(field) { value = N.load(place(field)) }
        } else if let value {
            put(value.wireBits, field)
        }
    }

    @inline(never)
    mutating func numbers<N: WireNumber>(_ field: Int, _ values: inout [N]) {
        guard isLifting else {
            put(each: values.count, field) { values[$0].wireBits }
            return
        }
        let count = count(field)
        guard count != 0, spend(heapHeader + count * MemoryLayout<N>.stride, field) else { return }
        let elements = load(field, as: UnsafeRawPointer.self)
        // Each element is four or eight bytes in C, also a boolean.
        let stride = max(4, MemoryLayout<N>.stride)
        values.reserveCapacity(count)
        for index in 0..<count { values.append(N.load(elements + index * stride)) }
    }
}

// MARK: enums, which are Int32 in everything but name

extension FieldWalk {
    @inline(__always)
    mutating func `enum`<E: WireEnum>(_ field: Int, _ value: inout E) {
        var raw = value.rawValue
        if !isLifting && fields[field].label == PROTOBUF_C_LABEL_REQUIRED { checkDeclared(raw, field) }
        number(field, &raw)
        value = E(rawValue: raw)
    }

    @inline(__always)
    mutating func optional<E: WireEnum>(_ field: Int, _ value: inout E?) {
        var raw = value?.rawValue
        optional(field, &raw)
        value = raw.map { E(rawValue: $0) }
    }

    mutating func enums<E: WireEnum>(_ field: Int, _ values: inout [E]) {
        guard isLifting else {
            put(each: values.count, field) { values[$0].rawValue.wireBits }
            return
        }
        let count = count(field)
        guard count != 0, spend(heapHeader + 4 * count, field) else { return }
        let elements = load(field, as: UnsafePointer<Int32>.self)
        values.reserveCapacity(count)
        for index in 0..<count { values.append(E(rawValue: elements[index])) }
    }
}

extension FieldWalk {
    /// Required fields are those of proto2, whose enums are closed: to a decoder an undeclared value is an unknown field,
    /// and the required one missing.
    @inline(never)
    private mutating func checkDeclared(_ value: Int32, _ field: Int) {
        let type = fields[field].descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
        if failure == nil && !cp_enum_declares(type, value) { fail(.missingRequired, field) }
    }
}

// MARK: strings and bytes

extension FieldWalk {
    mutating func text(_ field: Int, _ value: inout String) {
        if isLifting {
            fill(&value, liftText(load(field, as: ProtobufCBinaryData.self), field))
        } else if !value.utf8.isEmpty || !omits(field) {
            put(value, field)
        }
    }

    mutating func text(_ field: Int, _ value: inout String?) {
        if isLifting {
            if has(field) { fill(&value, liftText(load(field, as: ProtobufCBinaryData.self), field)) }
        } else if let value {
            put(value, field)
        }
    }

    /// What was there is a constant, which need not be released.
    @inline(__always)
    private func fill<T>(_ place: inout T, _ value: __owned T) {
        withUnsafeMutablePointer(to: &place) { $0.initialize(to: value) }
    }

    mutating func texts(_ field: Int, _ values: inout [String]) {
        guard isLifting else {
            for value in values.reversed() { put(value, field) }
            return
        }
        let count = count(field)
        guard count != 0, spend(heapHeader + count * MemoryLayout<String>.stride, field) else { return }
        let elements = load(field, as: UnsafePointer<ProtobufCBinaryData>.self)
        values.reserveCapacity(count)
        for index in 0..<count { values.append(liftText(elements[index], field)) }
    }

    mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        if isLifting {
            value = liftBytes(load(field, as: ProtobufCBinaryData.self), field)
        } else if !value.isEmpty || !omits(field) {
            value.withUnsafeBytes { put($0, field) }
        }
    }

    mutating func bytes(_ field: Int, _ value: inout [UInt8]?) {
        if isLifting {
            if has(field) { value = liftBytes(load(field, as: ProtobufCBinaryData.self), field) }
        } else if let value {
            value.withUnsafeBytes { put($0, field) }
        }
    }

    mutating func byteArrays(_ field: Int, _ values: inout [[UInt8]]) {
        guard isLifting else {
            for value in values.reversed() { value.withUnsafeBytes { put($0, field) } }
            return
        }
        let count = count(field)
        guard count != 0, spend(heapHeader + count * MemoryLayout<[UInt8]>.stride, field) else { return }
        let elements = load(field, as: UnsafePointer<ProtobufCBinaryData>.self)
        values.reserveCapacity(count)
        for index in 0..<count { values.append(liftBytes(elements[index], field)) }
    }

    /// The decoder has checked that it is UTF-8.
    @inline(__always)
    private mutating func liftText(_ data: ProtobufCBinaryData, _ field: Int) -> String {
        // Up to 15 bytes lie in the string itself.
        guard let start = data.data, data.len <= 15 || spend(heapHeader + data.len, field) else { return "" }
        return String(copying: UTF8Span(unchecked: Span(_unsafeStart: UnsafePointer(start), count: data.len)))
    }

    private mutating func liftBytes(_ data: ProtobufCBinaryData, _ field: Int) -> [UInt8] {
        guard data.len != 0, spend(heapHeader + data.len, field) else { return [] }
        return [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
    }

    /// What this version does not know; in front of all fields, because it is encoded behind them.
    mutating func unknown(_ value: inout [UInt8]) {
        if isLifting {
            let base = source.assumingMemoryBound(to: ProtobufCMessage.self)
            guard base.pointee.n_unknown_fields != 0, let kept = base.pointee.unknown_fields else { return }
            value = liftBytes(ProtobufCBinaryData(len: kept.pointee.len, data: kept.pointee.data), -1)
        } else if !value.isEmpty {
            value.withUnsafeBytes { put(unknown: $0) }
        }
    }

    /// Whoever made the value may have put anything there, so it is looked at: a message that is encoded can be decoded.
    private mutating func put(unknown bytes: UnsafeRawBufferPointer) {
        guard reserve(bytes.count, -1), let base = buffer.baseAddress, let content = bytes.baseAddress else { return }
        let code = cp_check_unknown(content.assumingMemoryBound(to: UInt8.self), bytes.count, UInt32(level))
        guard code == CP_OK else { return fail(WireError.Code(code), -1) }
        start -= bytes.count
        UnsafeMutableRawPointer(base + start).copyMemory(from: content, byteCount: bytes.count)
    }
}
