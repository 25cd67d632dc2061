// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// `google.protobuf.Any`: an object whose member `@type` says what the others are.
extension JSONReader {
    private static let typeMember = Array("@type".utf8)
    private static let valueMember = Array("value".utf8)

    /// An object without `@type` is an Any with nothing in it, and has no other members.
    mutating func readAny(
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>
    ) throws(JSONScanner.Failure) {
        guard let value = table.pointee.descriptor.pointee.fields.map({ $0 + 1 }) else { return }
        guard scanner.peek() == UInt8(ascii: "{") else { throw unsuitable("not an object", scanner.at) }
        let start = scanner.at
        guard let url = try findType() else {
            try scanner.expect("{")
            guard scanner.take("}") else { throw unsuitable("an Any without \"@type\"", start) }
            return
        }
        let name = String(decoding: url, as: UTF8.self)
        guard let inner = MessageRegistry.table(url: name) else { throw unsuitable("unknown type \"\(name)\"", start) }
        guard path.count <= Int(CP_MAX_DEPTH) else { throw scanner.failure("", code: .tooDeep) }
        path.append((value, -1))
        let content = try newMessage(inner)
        if WellKnown(inner) == nil {
            try read(into: content, inner, isAny: true)
        } else {
            try readTyped(content, inner)
        }
        path.removeLast()
        try store(url, content, inner, into: message, table)
    }

    /// `{"@type":...,"value":...}`, in any order.
    private mutating func readTyped(
        _ content: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>
    ) throws(JSONScanner.Failure) {
        try scanner.expect("{")
        var (isTyped, hasValue) = (false, false)
        repeat {
            if !isTyped, try takeType() {
                isTyped = true
                continue
            }
            let start = scanner.at
            guard try scanner.string() == JSONReader.valueMember, !hasValue else {
                throw scanner.failure("not \"value\"", code: .unknownMember, at: start)
            }
            hasValue = true
            try scanner.expect(":")
            try readContent(into: content, table)
        } while scanner.take(",")
        try scanner.expect("}")
        guard hasValue else { throw unsuitable("no \"value\"", scanner.at) }
    }

    private func store(
        _ url: [UInt8], _ content: UnsafeMutablePointer<ProtobufCMessage>, _ inner: UnsafePointer<cp_message>,
        into message: UnsafeMutablePointer<ProtobufCMessage>, _ table: UnsafePointer<cp_message>
    ) throws(JSONScanner.Failure) {
        var (bytes, error) = (ProtobufCBinaryData(), cp_error())
        guard cp_encode(inner, content, arena, UInt32(CP_TRUST_TEXT), &bytes, &error),
            let urlPlace = cp_place(arena, message, table, 0), let valuePlace = cp_place(arena, message, table, 1)
        else { throw scanner.failure("", code: .memoryLimit) }
        urlPlace.storeBytes(of: try copy(url), as: ProtobufCBinaryData.self)
        valuePlace.storeBytes(of: bytes, as: ProtobufCBinaryData.self)
    }

    /// Takes the member `@type` if it is the next; false if another one is.
    mutating func takeType() throws(JSONScanner.Failure) -> Bool {
        _ = scanner.peek()
        let before = scanner
        guard try scanner.string() == JSONReader.typeMember else {
            scanner = before
            return false
        }
        try scanner.expect(":")
        _ = try scanner.string()
        return true
    }

    /// What `@type` says in the object that begins here, without taking anything. It mostly comes first.
    private func findType() throws(JSONScanner.Failure) -> [UInt8]? {
        var ahead = scanner
        try ahead.expect("{")
        guard !ahead.take("}") else { return nil }
        repeat {
            let name = try ahead.string()
            try ahead.expect(":")
            if name == JSONReader.typeMember { return try ahead.string() }
            try ahead.skipValue()
        } while ahead.take(",")
        return nil
    }
}
