// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// Writes a C message in protobuf's text format, on one line, by its descriptors: `value: "b" parent { value: "a" }`.
///
/// It is what `protoc --decode` prints, but for line breaks and for text that is not ASCII, which stays as it is. Unknown
/// fields appear under their numbers.
struct TextWriter {
    private let arena: UnsafeMutablePointer<cp_arena>
    private(set) var output: [UInt8] = []

    init(arena: UnsafeMutablePointer<cp_arena>) {
        self.arena = arena
    }

    mutating func write(_ message: UnsafePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>) {
        let descriptor = table.pointee.descriptor.pointee
        for index in 0..<Int(descriptor.n_fields) where cp_is_set(descriptor.fields + index, message) {
            write(descriptor.fields + index, table.pointee.fields[index], of: message)
        }
        if message.pointee.n_unknown_fields != 0, let kept = message.pointee.unknown_fields {
            write(unknown: UnsafeRawBufferPointer(start: kept.pointee.data, count: kept.pointee.len))
        }
    }

    private mutating func write(
        _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ extra: cp_field, of message: UnsafePointer<ProtobufCMessage>
    ) {
        let base = UnsafeRawPointer(message)
        let member = base + Int(field.pointee.offset)
        guard field.pointee.label == PROTOBUF_C_LABEL_REPEATED else {
            write(value: member, field, extra)
            return
        }
        let count = (base + Int(field.pointee.quantifier_offset)).load(as: Int.self)
        guard let elements = member.load(as: UnsafeMutableRawPointer?.self) else { return }
        if extra.flags & UInt8(CP_FIELD_MAP) != 0, let entry = extra.message {
            let entries = elements.assumingMemoryBound(to: UnsafeMutablePointer<ProtobufCMessage>?.self)
            _ = cp_sort_entries(arena, entry, entries, count)
        }
        let size = cp_size_of(field.pointee.type)
        for index in 0..<count { write(value: UnsafeRawPointer(elements + index * size), field, extra) }
    }

    private mutating func write(
        value: UnsafeRawPointer, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ extra: cp_field
    ) {
        begin(String(cString: field.pointee.name))
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_MESSAGE:
            put(" {")
            if let message = value.load(as: UnsafeMutablePointer<ProtobufCMessage>?.self), let table = extra.message {
                write(message, table)
            }
            put(" }")
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES:
            let data = value.load(as: ProtobufCBinaryData.self)
            let bytes = UnsafeRawBufferPointer(start: data.data, count: data.len)
            put(": ")
            write(quoted: bytes, isText: extra.flags & UInt8(CP_FIELD_TEXT) != 0)
        case PROTOBUF_C_TYPE_ENUM:
            let type = field.pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            let number = value.load(as: Int32.self)
            put(": " + (Codec.enumName(type, number) ?? String(number)))
        default: put(": " + number(value, field.pointee.type))
        }
    }

    private func number(_ value: UnsafeRawPointer, _ type: ProtobufCType) -> String {
        switch type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32: "\(value.load(as: Int32.self))"
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: "\(value.load(as: UInt32.self))"
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64: "\(value.load(as: Int64.self))"
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: "\(value.load(as: UInt64.self))"
        case PROTOBUF_C_TYPE_FLOAT: "\(value.load(as: Float.self))"
        case PROTOBUF_C_TYPE_DOUBLE: "\(value.load(as: Double.self))"
        default: value.load(as: protobuf_c_boolean.self) != 0 ? "true" : "false"
        }
    }
}

// MARK: unknown fields

extension TextWriter {
    /// A run of whole fields, as the decoder keeps it; what is not is left out.
    private mutating func write(unknown bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let tag = varint(&rest) {
            let number = tag >> 3
            switch tag & 7 {
            case 0:
                guard let value = varint(&rest) else { return }
                begin("\(number)")
                put(": \(value)")
            case 1, 5:
                let size = tag & 7 == 1 ? 8 : 4
                guard rest.count >= size else { return }
                begin("\(number)")
                let value = rest.prefix(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let digits = String(value, radix: 16)
                put(": 0x" + String(repeating: "0", count: 2 * size - digits.count) + digits)
                rest.removeFirst(size)
            case 2:
                guard let size = varint(&rest), size <= rest.count else { return }
                begin("\(number)")
                put(": ")
                write(quoted: UnsafeRawBufferPointer(rebasing: rest.prefix(Int(size))), isText: false)
                rest.removeFirst(Int(size))
            case 3:
                begin("\(number)")
                put(" {")
            case 4: put(" }")
            default: return
            }
        }
    }

    private func varint(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}

// MARK: text

extension TextWriter {
    private mutating func put(_ text: String) {
        output.append(contentsOf: text.utf8)
    }

    private mutating func begin(_ name: String) {
        if !output.isEmpty { put(" ") }
        put(name)
    }

    private mutating func write(quoted bytes: UnsafeRawBufferPointer, isText: Bool) {
        put("\"")
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): put("\\\"")
            case UInt8(ascii: "\\"): put("\\\\")
            case UInt8(ascii: "\n"): put("\\n")
            case UInt8(ascii: "\r"): put("\\r")
            case UInt8(ascii: "\t"): put("\\t")
            case 0..<0x20, 0x7f: escape(byte)
            case 0x80...: if isText { output.append(byte) } else { escape(byte) }
            default: output.append(byte)
            }
        }
        put("\"")
    }

    /// Three octal digits.
    private mutating func escape(_ byte: UInt8) {
        put("\\")
        for shift in [6, 3, 0] as [UInt8] { output.append(UInt8(ascii: "0") + (byte >> shift & 7)) }
    }
}
