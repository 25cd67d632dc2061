// SPDX-License-Identifier: Apache-2.0
internal import CProto

extension FieldWalk {
    /// A message that is held in place.
    mutating func message<M: Message>(_ field: Int, _ value: inout M) {
        if isLifting {
            guard let pointer = load(field, as: UnsafeRawPointer?.self) else { return }
            lift(pointer, &value)
        } else {
            encode(field, -1, &value)
        }
    }

    mutating func message<M: Message>(_ field: Int, _ value: inout M?) {
        if isLifting {
            guard let pointer = load(field, as: UnsafeRawPointer?.self) else { return }
            var filled = M(UnsetFields())
            lift(pointer, &filled)
            value = filled
        } else if value != nil {
            encodeSome(field, &value)
        }
    }

    /// A message that is held in a box: a repeated field of none or one.
    mutating func boxed<M: Message>(_ field: Int, _ box: inout Boxed<M>) {
        messages(field, &box.elements)
    }

    @inline(never)
    mutating func messages<M: Message>(_ field: Int, _ values: inout [M]) {
        guard isLifting else {
            values.withUnsafeBufferPointer { elements in
                // Nothing is changed; see above.
                guard let base = UnsafeMutablePointer(mutating: elements.baseAddress) else { return }
                let isRepeated = fields[field].label == PROTOBUF_C_LABEL_REPEATED
                for index in (0..<elements.count).reversed() where failure == nil {
                    encode(field, isRepeated ? index : -1, &base[index])
                }
            }
            return
        }
        var single = place(field)
        var count = 1
        if fields[field].label == PROTOBUF_C_LABEL_REPEATED {
            count = self.count(field)
            guard count != 0 else { return }
            single = load(field, as: UnsafeRawPointer.self)
        }
        let pointers = single.assumingMemoryBound(to: UnsafeRawPointer?.self)
        guard pointers[0] != nil, spend(heapHeader + count * MemoryLayout<M>.stride, field) else { return }
        // For one element, a literal costs half of what other ways to make an array do.
        if count == 1 {
            values = [M(UnsetFields())]
        } else {
            values = [M](unsafeUninitializedCapacity: count) { elements, initialized in
                for index in 0..<count { elements.initializeElement(at: index, to: M(UnsetFields())) }
                initialized = count
            }
        }
        values.withUnsafeMutableBufferPointer { elements in
            for index in 0..<count where failure == nil {
                guard let pointer = pointers[index] else { return }
                lift(pointer, &elements[index])
                if failure != nil { trace(field, index) }
            }
        }
    }

    @inline(__always)
    private mutating func lift<M: Message>(_ pointer: UnsafeRawPointer, _ value: inout M) {
        let outer = (source, fields)
        source = pointer
        if let inner = M.schema.fields { fields = inner }
        value.walk(&self)
        (source, fields) = outer
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
