// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// From Swift values to C structs. Everything made here lives as long as the arena. Memory that runs out ends the
/// process, as it does everywhere in Swift.
struct Arena {
    private let arena: UnsafeMutablePointer<cp_arena>

    init(_ arena: UnsafeMutablePointer<cp_arena>) {
        self.arena = arena
    }

    private func allocate<T>(_ count: Int, _ type: T.Type) -> UnsafeMutablePointer<T> {
        cp_alloc_or_abort(arena, max(8, count * MemoryLayout<T>.stride)).assumingMemoryBound(to: type)
    }

    /// A message with nothing set.
    func make<T>(_ table: UnsafePointer<cp_message>) -> UnsafeMutablePointer<T> {
        cp_new_or_abort(arena, table).assumingMemoryBound(to: T.self)
    }

    func text(_ string: String) -> ProtobufCBinaryData {
        var string = string
        return string.withUTF8 { utf8 in
            ProtobufCBinaryData(len: utf8.count, data: copy(UnsafeRawBufferPointer(utf8)))
        }
    }

    func bytes(_ array: [UInt8]) -> ProtobufCBinaryData {
        array.withUnsafeBytes { ProtobufCBinaryData(len: $0.count, data: copy($0)) }
    }

    private func copy(_ source: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        guard let base = source.baseAddress, !source.isEmpty else { return nil }
        let target = allocate(source.count, UInt8.self)
        UnsafeMutableRawPointer(target).copyMemory(from: base, byteCount: source.count)
        return target
    }

    func texts(_ array: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData> {
        let target = allocate(array.count, ProtobufCBinaryData.self)
        for (index, element) in array.enumerated() { target[index] = text(element) }
        return target
    }

    func byteArrays(_ array: [[UInt8]]) -> UnsafeMutablePointer<ProtobufCBinaryData> {
        let target = allocate(array.count, ProtobufCBinaryData.self)
        for (index, element) in array.enumerated() { target[index] = bytes(element) }
        return target
    }

    func bools(_ array: [Bool]) -> UnsafeMutablePointer<protobuf_c_boolean> {
        let target = allocate(array.count, protobuf_c_boolean.self)
        for (index, element) in array.enumerated() { target[index] = element ? 1 : 0 }
        return target
    }

    func scalars<T: BitwiseCopyable>(_ array: [T]) -> UnsafeMutablePointer<T> {
        let target = allocate(array.count, T.self)
        for (index, element) in array.enumerated() { target[index] = element }
        return target
    }

    /// protobuf-c's enums are as wide as `int`, whatever their Swift names are.
    func enums<T: WireEnum, C>(_ array: [T]) -> UnsafeMutablePointer<C> {
        let target = allocate(array.count, Int32.self)
        for (index, element) in array.enumerated() { target[index] = element.rawValue }
        return UnsafeMutableRawPointer(target).assumingMemoryBound(to: C.self)
    }

    func messages<M: Message, C>(_ array: [M]) -> UnsafeMutablePointer<UnsafeMutablePointer<C>?> {
        let target = allocate(array.count, UnsafeMutableRawPointer?.self)
        let lower = M.schema.lower
        for (index, element) in array.enumerated() { target[index] = lower(element, self) }
        return UnsafeMutableRawPointer(target).assumingMemoryBound(to: UnsafeMutablePointer<C>?.self)
    }

    func entries<Entry, Key, Value>(
        _ dictionary: [Key: Value], _ table: UnsafePointer<cp_message>,
        _ fill: (UnsafeMutablePointer<Entry>, Key, Value) -> Void
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Entry>?> {
        let target = allocate(dictionary.count, UnsafeMutablePointer<Entry>?.self)
        for (index, element) in dictionary.enumerated() {
            let entry: UnsafeMutablePointer<Entry> = make(table)
            fill(entry, element.key, element.value)
            target[index] = entry
        }
        return target
    }

    /// Gives a message its unknown fields.
    func keep<T>(_ unknownFields: [UInt8], in message: UnsafeMutablePointer<T>) {
        let base = UnsafeMutableRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        cp_set_unknown(arena, base, bytes(unknownFields))
    }
}
