// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// Writes a C message as JSON, by its descriptors.
///
/// The protobuf JSON mapping, with the field names of the .proto file: 64-bit integers are strings, bytes are base64,
/// enums are names (numbers, if undeclared), NaN and the infinities are strings, maps are objects with sorted keys.
/// `google.protobuf.Any`, `Timestamp` and the wrappers have their own forms (`WellKnown`).
struct JSONWriter {
    let style: JSONStyle
    let arena: UnsafeMutablePointer<cp_arena>
    private(set) var output: [UInt8] = []
    private var depth = 0
    private var level = 0
    private(set) var failure: WireError.Code?
    private(set) var detail = ""

    init(style: JSONStyle, arena: UnsafeMutablePointer<cp_arena>) {
        self.style = style
        self.arena = arena
    }

    /// Afterwards `failure` says whether the message has too many levels, or something that JSON has no text for.
    mutating func write(_ message: UnsafePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>) {
        writeMessage(message, table)
    }

    private mutating func writeMessage(
        _ message: UnsafePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>
    ) {
        guard level <= Int(CP_MAX_DEPTH) else {
            failure = .tooDeep
            return
        }
        if let kind = WellKnown(table) { return write(kind, message, table) }
        level += 1
        defer { level -= 1 }
        open("{")
        var first = true
        writeMembers(message, table, &first)
        close("}", empty: first)
    }

    private mutating func writeMembers(
        _ message: UnsafePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>, _ first: inout Bool
    ) {
        let descriptor = table.pointee.descriptor.pointee
        for index in 0..<Int(descriptor.n_fields) {
            let field = descriptor.fields + index
            guard cp_is_set(field, message) else { continue }
            next(&first)
            write(cString: field.pointee.name)
            colon()
            write(field, table.pointee.fields[index], of: message)
        }
    }

    private mutating func write(
        _ kind: WellKnown, _ message: UnsafePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>
    ) {
        let fields = table.pointee.descriptor.pointee.fields!
        func place(_ index: Int) -> UnsafeRawPointer { UnsafeRawPointer(message) + Int(fields[index].offset) }
        switch kind {
        case .wrapper: write(value: place(0), fields, table.pointee.fields[0])
        case .timestamp:
            let moment = JSONTimestamp(seconds: place(0).load(as: Int64.self), nanos: place(1).load(as: Int32.self))
            guard let text = moment.text else { return refuse("a timestamp out of range") }
            put("\"\(text)\"")
        case .any:
            func data(_ index: Int) -> UnsafeRawBufferPointer {
                let data = place(index).load(as: ProtobufCBinaryData.self)
                return UnsafeRawBufferPointer(start: data.data, count: data.len)
            }
            level += 1
            writeAny(data(0), data(1))
            level -= 1
        }
    }

    private mutating func writeAny(_ url: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if url.isEmpty && value.isEmpty { return put("{}") }
        let name = String(decoding: url, as: UTF8.self)
        guard let table = MessageRegistry.table(url: name) else { return refuse("unknown type \"\(name)\"") }
        let codec = Codec(memoryLimit: memoryBound(value.count))
        let content: UnsafePointer<ProtobufCMessage>
        do throws(WireError) {
            content = try codec.decode(table, value).assumingMemoryBound(to: ProtobufCMessage.self)
        } catch {
            return refuse("\(error)")
        }
        open("{")
        var first = true
        next(&first)
        put("\"@type\"")
        colon()
        write(text: url.assumingMemoryBound(to: UInt8.self))
        if WellKnown(table) == nil {
            writeMembers(content, table, &first)
        } else {
            next(&first)
            put("\"value\"")
            colon()
            writeMessage(content, table)
        }
        close("}", empty: false)
    }

    private mutating func refuse(_ detail: String) {
        failure = .unsuitableValue
        self.detail = detail
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
        if extra.flags & UInt8(CP_FIELD_MAP) != 0 {
            write(entries: elements, count, extra)
            return
        }
        open("[")
        var first = true
        let size = cp_size_of(field.pointee.type)
        for index in 0..<count {
            next(&first)
            write(value: UnsafeRawPointer(elements + index * size), field, extra)
        }
        close("]", empty: first)
    }

    private mutating func write(entries: UnsafeMutableRawPointer, _ count: Int, _ extra: cp_field) {
        guard let table = extra.message else { return }
        let entries = entries.assumingMemoryBound(to: UnsafeMutablePointer<ProtobufCMessage>?.self)
        _ = cp_sort_entries(arena, table, entries, count)
        let (key, value) = (table.pointee.descriptor.pointee.fields!, table.pointee.descriptor.pointee.fields + 1)
        open("{")
        var first = true
        for index in 0..<count {
            guard let entry = entries[index] else { continue }
            next(&first)
            let base = UnsafeRawPointer(entry)
            write(key: base + Int(key.pointee.offset), key, table.pointee.fields[0])
            colon()
            write(value: base + Int(value.pointee.offset), value, table.pointee.fields[1])
        }
        close("}", empty: first)
    }

    /// Keys are strings, whatever they are.
    private mutating func write(
        key: UnsafeRawPointer, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ extra: cp_field
    ) {
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32,
            PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32:
            put("\"")
            write(value: key, field, extra)
            put("\"")
        default:
            write(value: key, field, extra)
        }
    }

    private mutating func write(
        value: UnsafeRawPointer, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ extra: cp_field
    ) {
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32:
            put(String(value.load(as: Int32.self)))
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32:
            put(String(value.load(as: UInt32.self)))
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            put("\"\(value.load(as: Int64.self))\"")
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64:
            put("\"\(value.load(as: UInt64.self))\"")
        case PROTOBUF_C_TYPE_FLOAT:
            write(number: Double(value.load(as: Float.self)), String(describing: value.load(as: Float.self)))
        case PROTOBUF_C_TYPE_DOUBLE:
            write(number: value.load(as: Double.self), String(describing: value.load(as: Double.self)))
        case PROTOBUF_C_TYPE_BOOL:
            put(value.load(as: protobuf_c_boolean.self) != 0 ? "true" : "false")
        case PROTOBUF_C_TYPE_ENUM:
            write(enumValue: value.load(as: Int32.self), field)
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let message = value.load(as: UnsafeMutablePointer<ProtobufCMessage>?.self), let table = extra.message
            else { return put("{}") }
            writeMessage(message, table)
        default:
            let data = value.load(as: ProtobufCBinaryData.self)
            let bytes = UnsafeBufferPointer(start: data.data, count: data.len)
            if extra.flags & UInt8(CP_FIELD_TEXT) != 0 {
                write(text: bytes)
            } else {
                put("\"")
                Base64.append(bytes, to: &output)
                put("\"")
            }
        }
    }

    private mutating func write(number: Double, _ shortest: String) {
        if number.isNaN {
            put("\"NaN\"")
        } else if number.isInfinite {
            put(number < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        } else {
            put(shortest)
        }
    }

    private mutating func write(enumValue: Int32, _ field: UnsafePointer<ProtobufCFieldDescriptor>) {
        let type = field.pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
        if let value = protobuf_c_enum_descriptor_get_value(type, enumValue) {
            write(cString: value.pointee.name)
        } else {
            put(String(enumValue))
        }
    }
}

// MARK: text

extension JSONWriter {
    private mutating func put(_ text: String) {
        output.append(contentsOf: text.utf8)
    }

    private mutating func write(cString: UnsafePointer<CChar>) {
        put("\"\(String(cString: cString))\"")
    }

    private mutating func write(text: UnsafeBufferPointer<UInt8>) {
        put("\"")
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): put("\\\"")
            case UInt8(ascii: "\\"): put("\\\\")
            case UInt8(ascii: "\n"): put("\\n")
            case UInt8(ascii: "\r"): put("\\r")
            case UInt8(ascii: "\t"): put("\\t")
            case 0..<0x20, 0x7f:
                put("\\u00")
                output.append(hexDigit(byte >> 4))
                output.append(hexDigit(byte & 15))
            default: output.append(byte)
            }
        }
        put("\"")
    }

    private mutating func open(_ bracket: String) {
        put(bracket)
        depth += 1
    }

    private mutating func close(_ bracket: String, empty: Bool) {
        depth -= 1
        if !empty { newLine() }
        put(bracket)
    }

    private mutating func next(_ first: inout Bool) {
        if !first { put(",") }
        first = false
        newLine()
    }

    private mutating func colon() {
        put(style == .compact ? ":" : ": ")
    }

    private mutating func newLine() {
        guard style == .indented else { return }
        put("\n")
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
