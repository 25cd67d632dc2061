// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A number as it is in Swift.
protocol WireNumber: BitwiseCopyable {
    /// What a varint carries.
    var wireBits: UInt64 { get }
    init(wireBits: UInt64)
    /// Of one, and of an optional one, in a layout.
    static var kinds: (one: FieldLayout.Kind, optional: FieldLayout.Kind) { get }
}

extension WireNumber {
    static var kinds: (one: FieldLayout.Kind, optional: FieldLayout.Kind) {
        MemoryLayout<Self>.size == 4 ? (.four, .optionalFour) : (.eight, .optionalEight)
    }
}

extension Int32: WireNumber {
    var wireBits: UInt64 { UInt64(bitPattern: Int64(self)) }
    init(wireBits: UInt64) { self.init(truncatingIfNeeded: wireBits) }
}

extension Int64: WireNumber {
    var wireBits: UInt64 { UInt64(bitPattern: self) }
    init(wireBits: UInt64) { self.init(bitPattern: wireBits) }
}

extension UInt32: WireNumber {
    var wireBits: UInt64 { UInt64(self) }
    init(wireBits: UInt64) { self.init(truncatingIfNeeded: wireBits) }
}

extension UInt64: WireNumber {
    var wireBits: UInt64 { self }
    init(wireBits: UInt64) { self = wireBits }
}

extension Float: WireNumber {
    var wireBits: UInt64 { UInt64(bitPattern) }
    init(wireBits: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: wireBits)) }
}

extension Double: WireNumber {
    var wireBits: UInt64 { bitPattern }
    init(wireBits: UInt64) { self.init(bitPattern: wireBits) }
}

extension Bool: WireNumber {
    var wireBits: UInt64 { self ? 1 : 0 }
    init(wireBits: UInt64) { self = wireBits != 0 }
    static var kinds: (one: FieldLayout.Kind, optional: FieldLayout.Kind) { (.one, .optionalOne) }
}

// MARK: numbers

extension FieldWalk {
    /// A field that always has a value: required, or without presence.
    mutating func number<N: WireNumber>(_ field: Int, _ value: inout N) {
        guard isEncoding else { return visit(field, N.kinds.one, &value) }
        let bits = value.wireBits
        if bits != 0 || !omits(field) { put(bits, field) }
    }

    mutating func optional<N: WireNumber>(_ field: Int, _ value: inout N?) {
        guard isEncoding else { return visit(field, N.kinds.optional, &value) }
        if let value { put(value.wireBits, field) }
    }

    @inline(never)
    mutating func numbers<N: WireNumber>(_ field: Int, _ values: inout [N]) {
        guard isEncoding else { return list(field, &values) { N(wireBits: $0) } }
        put(each: values.count, field) { values[$0].wireBits }
    }

    @inline(__always)
    private mutating func list<T>(_ field: Int, _ values: inout [T], _ element: @escaping (UInt64) -> T) {
        visit(field, .other, &values) { reader, field, base, layout in
            let values = (base + field.pointee.offset).assumingMemoryBound(to: [T].self)
            return reader.readNumbers(field, base, layout) { reader, bits in
                guard values.pointee.count < values.pointee.capacity || reader.grow(&values.pointee, by: 1) else {
                    return false
                }
                values.pointee.append(element(bits))
                return true
            }
        }
    }
}

// MARK: enums, which are Int32 in everything but name

extension FieldWalk {
    @inline(__always)
    mutating func `enum`<E: WireEnum>(_ field: Int, _ value: inout E) {
        guard isEncoding else { return visit(field, .four, &value) }
        let raw = value.rawValue
        if fields[field].label == PROTOBUF_C_LABEL_REQUIRED { checkDeclared(raw, field) }
        if raw != 0 || !omits(field) { put(raw.wireBits, field) }
    }

    @inline(__always)
    mutating func optional<E: WireEnum>(_ field: Int, _ value: inout E?) {
        guard isEncoding else { return visit(field, .optionalFour, &value) }
        if let value { put(value.rawValue.wireBits, field) }
    }

    mutating func enums<E: WireEnum>(_ field: Int, _ values: inout [E]) {
        guard isEncoding else { return list(field, &values) { E(rawValue: Int32(wireBits: $0)) } }
        put(each: values.count, field) { values[$0].rawValue.wireBits }
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
        guard isEncoding else { return visit(field, .text, &value) }
        if !value.utf8.isEmpty || !omits(field) { put(value, field) }
    }

    mutating func text(_ field: Int, _ value: inout String?) {
        guard isEncoding else { return visit(field, .optionalText, &value) }
        if let value { put(value, field) }
    }

    mutating func texts(_ field: Int, _ values: inout [String]) {
        guard isEncoding else { return visit(field, .texts, &values) }
        for value in values.reversed() { put(value, field) }
    }

    mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        guard isEncoding else { return visit(field, .bytes, &value) }
        if !value.isEmpty || !omits(field) { value.withUnsafeBytes { put($0, field) } }
    }

    mutating func bytes(_ field: Int, _ value: inout [UInt8]?) {
        guard isEncoding else { return visit(field, .optionalBytes, &value) }
        if let value { value.withUnsafeBytes { put($0, field) } }
    }

    mutating func byteArrays(_ field: Int, _ values: inout [[UInt8]]) {
        guard isEncoding else { return visit(field, .byteArrays, &values) }
        for value in values.reversed() { value.withUnsafeBytes { put($0, field) } }
    }

    /// What this version does not know; in front of all fields, because it is encoded behind them.
    mutating func unknown(_ value: inout [UInt8]) {
        guard isEncoding else { return visit(-1, .bytes, &value) }
        if !value.isEmpty { value.withUnsafeBytes { put(unknown: $0) } }
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
