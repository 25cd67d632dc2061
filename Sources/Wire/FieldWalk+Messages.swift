// SPDX-License-Identifier: Apache-2.0
internal import CProto

extension FieldWalk {
    /// A message that is held in place.
    mutating func message<M: Message>(_ field: Int, _ value: inout M) {
        guard isEncoding else { return message(field, &value) { $0.read(into: $1) } }
        encode(field, -1, &value)
    }

    mutating func message<M: Message>(_ field: Int, _ value: inout M?) {
        guard isEncoding else { return message(field, &value) { $0.read(into: $1) } }
        if value != nil { encodeSome(field, &value) }
    }

    /// A message that is held in a box: a repeated field of none or one.
    mutating func boxed<M: Message>(_ field: Int, _ box: inout Boxed<M>) {
        guard isEncoding else { return message(field, &box.elements) { $0.read(into: $1, isBox: true) } }
        messages(field, &box.elements)
    }

    @inline(never)
    mutating func messages<M: Message>(_ field: Int, _ values: inout [M]) {
        guard isEncoding else { return message(field, &values) { $0.read(into: $1, isBox: false) } }
        values.withUnsafeBufferPointer { elements in
            // Nothing is changed; see above.
            guard let base = UnsafeMutablePointer(mutating: elements.baseAddress) else { return }
            let isRepeated = fields[field].label == PROTOBUF_C_LABEL_REPEATED
            for index in (0..<elements.count).reversed() where failure == nil {
                encode(field, isRepeated ? index : -1, &base[index])
            }
        }
    }

    @inline(__always)
    private mutating func message<T>(
        _ field: Int, _ value: inout T, _ read: @escaping (inout ValueReader, UnsafeMutablePointer<T>) -> Bool
    ) {
        visit(field, .other, &value) { reader, field, base, _ in
            read(&reader, (base + field.pointee.offset).assumingMemoryBound(to: T.self))
        }
    }

    @inline(__always)
    private mutating func encodeSome<M: Message>(_ field: Int, _ value: inout M?) {
        guard let after = begin(field, -1) else { return }
        let outer = (fields, isEntry)
        if let inner = M.schema.fields { fields = inner }
        isEntry = false
        value?.walk(&self)
        (fields, isEntry) = outer
        end(field, -1, after)
    }

    @inline(__always)
    private mutating func encode<M: Message>(_ field: Int, _ element: Int, _ value: inout M) {
        guard let after = begin(field, element) else { return }
        let outer = (fields, isEntry)
        if let inner = M.schema.fields { fields = inner }
        isEntry = false
        value.walk(&self)
        (fields, isEntry) = outer
        end(field, element, after)
    }

    mutating func begin(_ field: Int, _ element: Int) -> Int? {
        guard failure == nil else { return nil }
        guard level < Int(CP_MAX_DEPTH) else {
            fail(.tooDeep, field, element)
            return nil
        }
        level += 1
        return written
    }

    mutating func end(_ field: Int, _ element: Int, _ after: Int) {
        level -= 1
        guard failure == nil else {
            trace(field, element)
            return
        }
        putLength(after, field)
    }
}
