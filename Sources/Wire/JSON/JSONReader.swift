// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// Reads JSON into a C message, by its descriptors.
struct JSONReader {
    typealias Field = UnsafePointer<ProtobufCFieldDescriptor>

    private let messageName: String
    let arena: UnsafeMutablePointer<cp_arena>
    var scanner: JSONScanner
    var path: [(field: Field?, index: Int)] = []

    init(_ text: String, messageName: String, arena: UnsafeMutablePointer<cp_arena>) {
        self.messageName = messageName
        self.arena = arena
        scanner = JSONScanner(text)
    }

    mutating func readRoot(
        _ table: UnsafePointer<cp_message>
    ) throws(WireError) -> UnsafeMutablePointer<ProtobufCMessage> {
        do throws(JSONScanner.Failure) {
            let message = try newMessage(table)
            try readContent(into: message, table)
            try scanner.expectEnd()
            return message
        } catch {
            throw WireError(
                error.code, offset: error.offset, messageName: messageName, path: fieldPath(path), detail: error.detail)
        }
    }

    func newMessage(
        _ table: UnsafePointer<cp_message>
    ) throws(JSONScanner.Failure) -> UnsafeMutablePointer<ProtobufCMessage> {
        guard let message = cp_new(arena, table) else { throw scanner.failure("", code: .memoryLimit) }
        return message
    }

    /// `isAny`: the message is what an Any holds, and `@type` stands among its members.
    mutating func read(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>, isAny: Bool = false
    ) throws(JSONScanner.Failure) {
        try scanner.expect("{")
        var seen: Set<Int> = []
        var isTyped = false
        if !scanner.take("}") {
            repeat {
                if isAny, !isTyped, try takeType() {
                    isTyped = true
                } else {
                    try readMember(into: message, table, &seen)
                }
            } while scanner.take(",")
            try scanner.expect("}")
        }
        if let missing = cp_missing(table, message) {
            path.append((missing, -1))
            throw scanner.failure("", code: .missingRequired)
        }
    }

    private mutating func readMember(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>, _ seen: inout Set<Int>
    ) throws(JSONScanner.Failure) {
        _ = scanner.peek()
        let start = scanner.at
        let name = try scanner.string()
        guard let index = fieldIndex(named: name, table) else {
            throw scanner.failure("\"\(String(decoding: name, as: UTF8.self))\"", code: .unknownMember, at: start)
        }
        let field = table.pointee.descriptor.pointee.fields + index
        path.append((field, -1))
        guard seen.insert(index).inserted else { throw scanner.failure("twice", code: .unknownMember, at: start) }
        try scanner.expect(":")
        if scanner.take(word: "null") {
            path.removeLast()
            return
        }
        if field.pointee.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
            let chosen = (UnsafeRawPointer(message) + Int(field.pointee.quantifier_offset)).load(as: UInt32.self)
            guard chosen == 0 else {
                throw scanner.failure("another member of the same oneof is set", code: .unknownMember, at: start)
            }
        }
        if table.pointee.fields[index].flags & UInt8(CP_FIELD_MAP) != 0 {
            try readMap(into: message, table, index)
        } else if field.pointee.label == PROTOBUF_C_LABEL_REPEATED {
            try readArray(into: message, table, index)
        } else {
            try readValue(into: message, table, index)
        }
        path.removeLast()
    }

    /// The name of the .proto file, or its lowerCamel form.
    private func fieldIndex(named name: [UInt8], _ table: UnsafePointer<cp_message>) -> Int? {
        let descriptor = table.pointee.descriptor.pointee
        let count = Int(descriptor.n_fields)
        for index in 0..<count where descriptor.fields[index].hasName(name) { return index }
        for index in 0..<count where descriptor.fields[index].hasCamelName(name) { return index }
        return nil
    }

    private mutating func readArray(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>, _ index: Int
    ) throws(JSONScanner.Failure) {
        try scanner.expect("[")
        guard !scanner.take("]") else { return }
        var element = 0
        repeat {
            path[path.count - 1].index = element
            try readValue(into: message, table, index)
            element += 1
        } while scanner.take(",")
        try scanner.expect("]")
    }

    private mutating func readMap(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>, _ index: Int
    ) throws(JSONScanner.Failure) {
        guard let entryTable = table.pointee.fields[index].message else { return }
        try scanner.expect("{")
        guard !scanner.take("}") else { return }
        var keys: Set<[UInt8]> = []
        repeat {
            _ = scanner.peek()
            let start = scanner.at
            let key = try scanner.string()
            guard keys.insert(key).inserted else { throw scanner.failure("key twice", code: .unknownMember, at: start) }
            let entry = try newMessage(entryTable)
            let keyField = entryTable.pointee.descriptor.pointee.fields!
            guard let place = cp_place(arena, entry, entryTable, 0),
                let slot = cp_place(arena, message, table, UInt32(index))
            else { throw scanner.failure("", code: .memoryLimit) }
            try store(key: key, keyField, place, start)
            slot.storeBytes(of: entry, as: UnsafeMutablePointer<ProtobufCMessage>?.self)
            try scanner.expect(":")
            try readValue(into: entry, entryTable, 1)
        } while scanner.take(",")
        try scanner.expect("}")
    }

    private func store(
        key: [UInt8], _ field: Field, _ place: UnsafeMutableRawPointer, _ start: Int
    ) throws(JSONScanner.Failure) {
        let text = String(decoding: key, as: UTF8.self)
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_STRING:
            place.storeBytes(of: try copy(key), as: ProtobufCBinaryData.self)
        case PROTOBUF_C_TYPE_BOOL:
            guard text == "true" || text == "false" else { throw unsuitable("not a boolean", start) }
            place.storeBytes(of: text == "true" ? 1 : 0, as: protobuf_c_boolean.self)
        default:
            try storeNumber(text, field, place, start)
        }
    }

    /// One value of a field. What is stored is stored only after the value was read: no half-set fields.
    private mutating func readValue(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>, _ index: Int
    ) throws(JSONScanner.Failure) {
        let field = table.pointee.descriptor.pointee.fields + index
        _ = scanner.peek()
        let start = scanner.at
        guard let place = cp_place(arena, message, table, UInt32(index)) else {
            throw scanner.failure("", code: .memoryLimit)
        }
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_MESSAGE:
            try readMessage(table.pointee.fields[index], place)
        case PROTOBUF_C_TYPE_BOOL:
            let isTrue = scanner.take(word: "true")
            guard isTrue || scanner.take(word: "false") else { throw unsuitable("not a boolean", start) }
            place.storeBytes(of: isTrue ? 1 : 0, as: protobuf_c_boolean.self)
        case PROTOBUF_C_TYPE_ENUM:
            try readEnum(field, table.pointee.fields[index], place, start)
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES:
            guard scanner.peek() == UInt8(ascii: "\"") else { throw unsuitable("not a string", start) }
            var content = try scanner.string()
            if table.pointee.fields[index].flags & UInt8(CP_FIELD_TEXT) == 0 {
                guard let decoded = Base64.decode(content) else { throw unsuitable("not base64", start) }
                content = decoded
            }
            place.storeBytes(of: try copy(content), as: ProtobufCBinaryData.self)
        default:
            let quoted = scanner.peek() == UInt8(ascii: "\"")
            let text = quoted ? String(decoding: try scanner.string(), as: UTF8.self) : try readNumber(start)
            try storeNumber(text, field, place, start)
        }
    }

    private mutating func readNumber(_ start: Int) throws(JSONScanner.Failure) -> String {
        guard let first = scanner.peek(), first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
            throw unsuitable("not a number", start)
        }
        return try scanner.number()
    }

    private mutating func readMessage(
        _ extra: cp_field, _ place: UnsafeMutableRawPointer
    ) throws(JSONScanner.Failure) {
        guard let table = extra.message else { return }
        guard path.count <= Int(CP_MAX_DEPTH) else { throw scanner.failure("", code: .tooDeep) }
        let message = try newMessage(table)
        place.storeBytes(of: message, as: UnsafeMutablePointer<ProtobufCMessage>?.self)
        guard WellKnown(table) != nil || scanner.peek() == UInt8(ascii: "{") else {
            throw unsuitable("not an object", scanner.at)
        }
        try readContent(into: message, table)
    }

    mutating func readContent(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>
    ) throws(JSONScanner.Failure) {
        switch WellKnown(table) {
        case nil: try read(into: message, table)
        case .wrapper: try readValue(into: message, table, 0)
        case .any: try readAny(into: message, table)
        case .timestamp:
            _ = scanner.peek()
            let start = scanner.at
            guard scanner.peek() == UInt8(ascii: "\""), let moment = JSONTimestamp(try scanner.string()) else {
                throw unsuitable("not a timestamp", start)
            }
            guard let seconds = cp_place(arena, message, table, 0), let nanos = cp_place(arena, message, table, 1)
            else {
                throw scanner.failure("", code: .memoryLimit)
            }
            seconds.storeBytes(of: moment.seconds, as: Int64.self)
            nanos.storeBytes(of: moment.nanos, as: Int32.self)
        }
    }

    private mutating func readEnum(
        _ field: Field, _ extra: cp_field, _ place: UnsafeMutableRawPointer, _ start: Int
    ) throws(JSONScanner.Failure) {
        let type = field.pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
        let value: Int32
        if scanner.peek() == UInt8(ascii: "\"") {
            let name = String(decoding: try scanner.string(), as: UTF8.self)
            guard let declared = Codec.enumValue(type, name) else { throw unsuitable("no value \"\(name)\"", start) }
            value = declared
        } else {
            guard let number = integer(try readNumber(start), as: Int32.self) else {
                throw unsuitable("not an enum value", start)
            }
            let closed = extra.flags & UInt8(CP_FIELD_CLOSED) != 0
            guard !closed || cp_enum_declares(type, number) else { throw unsuitable("no value \(number)", start) }
            value = number
        }
        // An enum is as wide as `int`, whatever its type is called.
        place.storeBytes(of: value, as: Int32.self)
    }

    func unsuitable(_ detail: String, _ start: Int) -> JSONScanner.Failure {
        scanner.failure(detail, code: .unsuitableValue, at: start)
    }

    func copy(_ bytes: [UInt8]) throws(JSONScanner.Failure) -> ProtobufCBinaryData {
        guard !bytes.isEmpty else { return ProtobufCBinaryData() }
        guard let memory = cp_alloc(arena, bytes.count) else { throw scanner.failure("", code: .memoryLimit) }
        memory.copyMemory(from: bytes, byteCount: bytes.count)
        return ProtobufCBinaryData(len: bytes.count, data: memory.assumingMemoryBound(to: UInt8.self))
    }
}

// MARK: numbers

extension JSONReader {
    private func storeNumber(
        _ text: String, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ place: UnsafeMutableRawPointer, _ start: Int
    ) throws(JSONScanner.Failure) {
        switch field.pointee.type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32:
            try store(integer(text, as: Int32.self), place, start)
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32:
            try store(integer(text, as: UInt32.self), place, start)
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            try store(integer(text, as: Int64.self), place, start)
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64:
            try store(integer(text, as: UInt64.self), place, start)
        case PROTOBUF_C_TYPE_FLOAT:
            let value = double(text).map { Float($0) }
            let overflows = value.map { $0.isInfinite && !text.hasSuffix("Infinity") } ?? true
            try store(overflows ? nil : value, place, start)
        default:
            try store(double(text), place, start)
        }
    }

    private func store<T: BitwiseCopyable>(
        _ value: T?, _ place: UnsafeMutableRawPointer, _ start: Int
    ) throws(JSONScanner.Failure) {
        guard let value else { throw unsuitable("not a number that fits", start) }
        place.storeBytes(of: value, as: T.self)
    }

    private func double(_ text: String) -> Double? {
        switch text {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default:
            // Double's own parser also takes hexadecimal numbers and other spellings of infinity.
            guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text),
                value.isFinite
            else { return nil }
            return value
        }
    }

    /// Also in the form of a fraction or with an exponent, if it is a whole number: `1.0`, `5e3`.
    private func integer<T: FixedWidthInteger>(_ text: String, as type: T.Type) -> T? {
        if !text.hasPrefix("+"), let value = T(text) { return value }
        guard let value = double(text) else { return nil }
        return T(exactly: value)
    }
}

extension ProtobufCFieldDescriptor {
    fileprivate func hasName(_ other: [UInt8]) -> Bool {
        var index = 0
        while index < other.count {
            let byte = UInt8(bitPattern: name[index])
            guard byte != 0, byte == other[index] else { return false }
            index += 1
        }
        return name[index] == 0
    }

    /// Compares with the name where each underscore is left out and the letter behind it is a capital.
    fileprivate func hasCamelName(_ other: [UInt8]) -> Bool {
        var source = 0
        var index = 0
        var upper = false
        while name[source] != 0 {
            let byte = UInt8(bitPattern: name[source])
            source += 1
            if byte == UInt8(ascii: "_") {
                upper = true
                continue
            }
            let lower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            let wanted = upper && lower ? byte - 0x20 : byte
            upper = false
            guard index < other.count, other[index] == wanted else { return false }
            index += 1
        }
        return index == other.count
    }
}
