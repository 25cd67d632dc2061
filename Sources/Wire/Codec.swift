// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// The way between bytes or text and a value: what the generated members of `Message` call.
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

    static func decode<M: CMessage>(_ bytes: UnsafeRawBufferPointer, _ memoryLimit: Int) throws(WireError) -> M {
        let result: Result<M, WireError> = withArena(memoryLimit: max(0, memoryLimit)) { arena in
            var error = cp_error()
            let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let message = cp_decode(M.table, data, bytes.count, arena, UInt32(CP_ALL_TEXT_UTF8), &error) else {
                return .failure(WireError(error, messageName: M.fullName, decoding: true))
            }
            return .success(M(copying: UnsafeRawPointer(message).assumingMemoryBound(to: M.CStruct.self)))
        }
        return try result.get()
    }

    static func encode<M: CMessage>(_ message: M) throws(WireError) -> [UInt8] {
        let result: Result<[UInt8], WireError> = withArena(memoryLimit: .max) { arena in
            let lowered = UnsafeRawPointer(message.lower(into: Arena(arena)))
            var error = cp_error()
            var encoded = ProtobufCBinaryData()
            let root = lowered.assumingMemoryBound(to: ProtobufCMessage.self)
            guard cp_encode(M.table, root, arena, UInt32(CP_TRUST_TEXT), &encoded, &error) else {
                return .failure(WireError(error, messageName: M.fullName, decoding: false))
            }
            return .success(Lift.bytes(encoded))
        }
        return try result.get()
    }

    static func parse<M: CMessage>(_ json: String) throws(WireError) -> M {
        let result: Result<M, WireError> = withArena(memoryLimit: defaultMemoryLimit) { arena in
            do throws(WireError) {
                var reader = JSONReader(json, messageName: M.fullName, arena: arena)
                let message = try reader.readRoot(M.table)
                return .success(M(copying: UnsafeRawPointer(message).assumingMemoryBound(to: M.CStruct.self)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    static func write<M: CMessage>(_ message: M, _ style: JSONStyle) throws(WireError) -> String {
        withArena(memoryLimit: .max) { arena in
            let lowered = UnsafeRawPointer(message.lower(into: Arena(arena)))
            var writer = JSONWriter(style: style, arena: arena)
            writer.write(lowered.assumingMemoryBound(to: ProtobufCMessage.self), M.table)
            return String(decoding: writer.output, as: UTF8.self)
        }
    }
}
