// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// One decode or one encode: an arena, and what is done in it. No pointer into it is used after its end.
///
/// Nothing here is generic, and the generic functions around it are not specialized: a copy for each message would be
/// most of the module's machine code and of the time to compile it.
struct Codec: ~Copyable {
    let arena: UnsafeMutablePointer<cp_arena>

    init(memoryLimit: Int) {
        arena = cp_arena_open(max(0, memoryLimit))
    }

    deinit {
        cp_arena_close(arena)
    }

    /// A C struct of the table's type. It refers to `bytes`.
    func decode(
        _ table: UnsafePointer<cp_message>, _ bytes: UnsafeRawBufferPointer
    ) throws(WireError) -> UnsafeRawPointer {
        var error = cp_error()
        let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard let message = cp_decode(table, data, bytes.count, arena, UInt32(CP_ALL_TEXT_UTF8), &error) else {
            throw WireError(error, messageName: Codec.fullName(table), decoding: true)
        }
        return UnsafeRawPointer(message)
    }

    /// The binary form of what the text says, in the arena.
    func parse(_ table: UnsafePointer<cp_message>, _ json: String) throws(WireError) -> UnsafeRawBufferPointer {
        var reader = JSONReader(json, messageName: Codec.fullName(table), arena: arena)
        return try encode(table, try reader.readRoot(table))
    }

    /// In the arena.
    func encode(
        _ table: UnsafePointer<cp_message>, _ message: UnsafePointer<ProtobufCMessage>
    ) throws(WireError) -> UnsafeRawBufferPointer {
        var (bytes, error) = (ProtobufCBinaryData(), cp_error())
        guard cp_encode(table, message, arena, UInt32(CP_TRUST_TEXT), &bytes, &error) else {
            throw WireError(error, messageName: Codec.fullName(table), decoding: false)
        }
        return UnsafeRawBufferPointer(start: bytes.data, count: bytes.len)
    }

    func write(
        _ table: UnsafePointer<cp_message>, _ message: UnsafeRawPointer, _ style: JSONStyle
    ) throws(WireError) -> String {
        var writer = JSONWriter(style: style, arena: arena)
        writer.write(message.assumingMemoryBound(to: ProtobufCMessage.self), table)
        if let failure = writer.failure {
            throw WireError(
                failure, offset: nil, messageName: Codec.fullName(table), detail: writer.detail)
        }
        return String(decoding: writer.output, as: UTF8.self)
    }

    func text(_ table: UnsafePointer<cp_message>, _ message: UnsafeRawPointer) -> String {
        var writer = TextWriter(arena: arena)
        writer.write(message.assumingMemoryBound(to: ProtobufCMessage.self), table)
        return String(decoding: writer.output, as: UTF8.self)
    }

    static func fullName(_ table: UnsafePointer<cp_message>) -> String {
        String(cString: table.pointee.descriptor.pointee.name)
    }
}
