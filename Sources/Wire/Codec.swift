// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// The way between bytes or text and a value.
///
/// One function for all messages: copies that are specialized for each of them would be most of the module's machine
/// code and of the time to compile it.
enum Codec {
    /// Bytes of stack that the first structs go to; a small message needs no allocation beside its own strings.
    private static let stackBlock = 1024

    /// Runs `body` with an arena that is freed afterwards.
    static func withArena<R>(memoryLimit: Int, _ body: (UnsafeMutablePointer<cp_arena>) -> R) -> R {
        withUnsafeTemporaryAllocation(byteCount: stackBlock, alignment: 16) { block in
            var arena = cp_arena()
            return withUnsafeMutablePointer(to: &arena) { arena in
                cp_arena_init(arena, block.baseAddress, stackBlock, memoryLimit)
                defer { cp_arena_free(arena) }
                return body(arena)
            }
        }
    }

    @_semantics("optimize.sil.specialize.generic.never")
    static func decode<M: Message>(_ bytes: UnsafeRawBufferPointer, _ memoryLimit: Int) -> Result<M, WireError> {
        let schema = M.schema
        return withArena(memoryLimit: max(0, memoryLimit)) { arena in
            var error = cp_error()
            let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let message = cp_decode(schema.table, data, bytes.count, arena, UInt32(CP_ALL_TEXT_UTF8), &error)
            else {
                return .failure(WireError(error, messageName: M.fullName, decoding: true))
            }
            return .success(schema.copy(UnsafeRawPointer(message)))
        }
    }

    @_semantics("optimize.sil.specialize.generic.never")
    static func encode<M: Message>(_ message: M) -> Result<[UInt8], WireError> {
        let schema = M.schema
        return withArena(memoryLimit: .max) { arena in
            let root = schema.lower(message, Arena(arena)).assumingMemoryBound(to: ProtobufCMessage.self)
            var error = cp_error()
            var encoded = ProtobufCBinaryData()
            guard cp_encode(schema.table, root, arena, UInt32(CP_TRUST_TEXT), &encoded, &error) else {
                return .failure(WireError(error, messageName: M.fullName, decoding: false))
            }
            return .success(Lift.bytes(encoded))
        }
    }

    @_semantics("optimize.sil.specialize.generic.never")
    static func parse<M: Message>(_ json: String) -> Result<M, WireError> {
        let schema = M.schema
        return withArena(memoryLimit: defaultMemoryLimit) { arena in
            do throws(WireError) {
                var reader = JSONReader(json, messageName: M.fullName, arena: arena)
                return .success(schema.copy(UnsafeRawPointer(try reader.readRoot(schema.table))))
            } catch {
                return .failure(error)
            }
        }
    }

    @_semantics("optimize.sil.specialize.generic.never")
    static func write<M: Message>(_ message: M, _ style: JSONStyle) -> Result<String, WireError> {
        let schema = M.schema
        return withArena(memoryLimit: .max) { arena in
            let root = schema.lower(message, Arena(arena)).assumingMemoryBound(to: ProtobufCMessage.self)
            var writer = JSONWriter(style: style, arena: arena)
            guard writer.write(root, schema.table) else {
                return .failure(WireError(.tooDeep, offset: nil, messageName: M.fullName))
            }
            return .success(String(decoding: writer.output, as: UTF8.self))
        }
    }

    /// Messages are equal if they encode to the same bytes.
    @_semantics("optimize.sil.specialize.generic.never")
    static func equal<M: Message>(_ a: M, _ b: M) -> Bool {
        guard case .success(let a) = encode(a), case .success(let b) = encode(b) else { return false }
        return a == b
    }

    @_semantics("optimize.sil.specialize.generic.never")
    static func hash<M: Message>(_ message: M, into hasher: inout Hasher) {
        guard case .success(let bytes) = encode(message) else { return }
        hasher.combine(bytes)
    }
}
