// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// What happens when a field comes whose tag was read.
extension ValueReader {
    @inline(__always)
    mutating func read(
        _ field: UnsafePointer<FieldLayout>, _ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>
    ) -> Bool {
        let place = base + field.pointee.offset
        switch field.pointee.kind {
        case .one, .four, .eight, .optionalOne, .optionalFour, .optionalEight:
            return readNumber(field, place, base, layout)
        case .text:
            guard let text = readText() else { return false }
            place.assumingMemoryBound(to: String.self).pointee = text
            return true
        case .optionalText:
            guard let text = readText() else { return false }
            place.assumingMemoryBound(to: String?.self).pointee = text
            return true
        case .texts: return readTexts(place)
        case .bytes:
            guard let bytes = readBytes() else { return false }
            place.assumingMemoryBound(to: [UInt8].self).pointee = bytes
            return true
        case .optionalBytes:
            guard let bytes = readBytes() else { return false }
            place.assumingMemoryBound(to: [UInt8]?.self).pointee = bytes
            return true
        case .byteArrays: return readByteArrays(place)
        case .member: return readMember(field, base, layout)
        case .other: return field.pointee.read?(&self, field, base, layout) ?? false
        }
    }

    @inline(__always)
    private mutating func readNumber(
        _ field: UnsafePointer<FieldLayout>, _ place: UnsafeMutableRawPointer, _ base: UnsafeMutableRawPointer,
        _ layout: UnsafePointer<Layout>
    ) -> Bool {
        guard let bits = readBits(field.pointee.form) else { return false }
        if !field.pointee.declares(bits) {
            // It does not count as the field.
            if field.pointee.required != 0 { isSuspect = true }
            return keepUnknown(enumValue: bits, base, layout)
        }
        // Numbers of one size look the same, and so do optionals of them.
        switch field.pointee.kind {
        case .one: place.storeBytes(of: bits != 0, as: Bool.self)
        case .four: place.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
        case .eight: place.storeBytes(of: bits, as: UInt64.self)
        case .optionalOne: place.storeBytes(of: bits != 0, as: Bool?.self)
        case .optionalFour: place.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32?.self)
        default: place.storeBytes(of: bits, as: UInt64?.self)
        }
        return true
    }

    /// For repeated numbers, alone or packed.
    mutating func readNumbers(
        _ field: UnsafePointer<FieldLayout>, _ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>,
        _ append: (inout ValueReader, UInt64) -> Bool
    ) -> Bool {
        let outer = end
        let isPacked = tag & 7 == 2
        if isPacked {
            guard let size = readLength() else { return false }
            end = at + size
        }
        defer { end = outer }
        while !isPacked || at < end {
            guard let bits = readBits(field.pointee.form) else { return false }
            if !field.pointee.declares(bits) {
                guard keepUnknown(enumValue: bits, base, layout) else { return false }
            } else {
                guard append(&self, bits) else { return false }
            }
            if !isPacked { break }
        }
        return true
    }

    private mutating func readTexts(_ place: UnsafeMutableRawPointer) -> Bool {
        let texts = place.assumingMemoryBound(to: [String].self)
        let count = countRun()
        guard texts.pointee.count + count <= texts.pointee.capacity || grow(&texts.pointee, by: count) else {
            return false
        }
        let tagSize = tag < 0x80 ? 1 : 2
        for index in 0..<count {
            if index != 0 { at += tagSize }
            guard let text = readText() else {
                if isExhausted { failedElement = texts.pointee.count }
                return false
            }
            texts.pointee.append(text)
        }
        return true
    }

    private mutating func readByteArrays(_ place: UnsafeMutableRawPointer) -> Bool {
        let arrays = place.assumingMemoryBound(to: [[UInt8]].self)
        guard arrays.pointee.count < arrays.pointee.capacity || grow(&arrays.pointee, by: 1),
            let bytes = readBytes()
        else { return false }
        arrays.pointee.append(bytes)
        return true
    }

    /// Only the walk over its message can put a value into an enum with payloads.
    @inline(never)
    private mutating func readMember(
        _ field: UnsafePointer<FieldLayout>, _ base: UnsafeMutableRawPointer, _ layout: UnsafePointer<Layout>
    ) -> Bool {
        let index = UnsafePointer(layout.pointee.fields).distance(to: field)
        hasFilled = false
        withUnsafeMutablePointer(to: &self) { reader in
            var walk = FieldWalk(.filling(index, reader, layout, base: base), layout.pointee.table)
            layout.pointee.message.walk(base, &walk)
        }
        return hasFilled
    }
}

extension Message {
    /// The value at `place`.
    @_semantics("optimize.sil.specialize.generic.never")
    static func walk(_ place: UnsafeMutableRawPointer, _ walk: inout FieldWalk) {
        place.assumingMemoryBound(to: Self.self).pointee.walk(&walk)
    }
}

/// Messages in messages. Few lines are for each type here, because there is machine code of them for each.
extension ValueReader {
    @inline(__always)
    mutating func read<M: Message>(into value: UnsafeMutablePointer<M>) -> Bool {
        readMessages(UnsafeMutableRawPointer(value), 1, stride: 0, M.schema.layout)
    }

    @inline(__always)
    mutating func read<M: Message>(into value: UnsafeMutablePointer<M?>) -> Bool {
        if case nil = value.pointee { value.initialize(to: M(UnsetFields())) }
        return value.pointee?.read(&self) ?? false
    }

    /// `isBox`: an array of none or one.
    @inline(__always)
    mutating func read<M: Message>(into values: UnsafeMutablePointer<[M]>, isBox: Bool) -> Bool {
        guard values.pointee.isEmpty else { return isBox ? readAgain(values) : readMore(values) }
        let count = isBox ? 1 : countRun()
        guard spend(heapHeader + count * MemoryLayout<M>.stride) else { return false }
        if count == 1 {
            // A literal, because all other ways to make an array look its class up in the runtime's tables first.
            values.initialize(to: [M(UnsetFields())])
            return values.pointee.withUnsafeBufferPointer { elements in
                // Nothing else refers to it: an initialiser that is never inlined makes no constant of the literal.
                guard let first = UnsafeMutableRawPointer(mutating: elements.baseAddress) else { return false }
                return readMessages(first, 1, stride: isBox ? 0 : 1, M.schema.layout)
            }
        }
        return readSeveral(values, count)
    }

    @inline(never)
    private mutating func readSeveral<M: Message>(_ values: UnsafeMutablePointer<[M]>, _ count: Int) -> Bool {
        // Like a literal it knows the class; making an array of a size at once does not.
        values.pointee.reserveCapacity(count)
        for _ in 0..<count { values.pointee.append(M(UnsetFields())) }
        return values.pointee.withUnsafeBufferPointer { elements in
            guard let first = UnsafeMutableRawPointer(mutating: elements.baseAddress) else { return false }
            return readMessages(first, count, stride: MemoryLayout<M>.stride, M.schema.layout)
        }
    }

    /// Elements that do not follow each other.
    @inline(never)
    @_semantics("optimize.sil.specialize.generic.never")
    private mutating func readMore<M: Message>(_ values: UnsafeMutablePointer<[M]>) -> Bool {
        let old = values.pointee.count
        let count = countRun()
        guard old + count <= values.pointee.capacity || grow(&values.pointee, by: count) else { return false }
        for _ in 0..<count { values.pointee.append(M(UnsetFields())) }
        return readElements(values, old, count, stride: MemoryLayout<M>.stride)
    }

    /// Another piece of what is in the box.
    @inline(never)
    @_semantics("optimize.sil.specialize.generic.never")
    private mutating func readAgain<M: Message>(_ values: UnsafeMutablePointer<[M]>) -> Bool {
        readElements(values, 0, 1, stride: 0)
    }

    @_semantics("optimize.sil.specialize.generic.never")
    private mutating func readElements<M: Message>(
        _ values: UnsafeMutablePointer<[M]>, _ start: Int, _ count: Int, stride: Int
    ) -> Bool {
        let isRead = values.pointee.withUnsafeMutableBufferPointer { elements in
            guard let first = elements.baseAddress else { return false }
            return readMessages(UnsafeMutableRawPointer(first + start), count, stride: stride, M.schema.layout)
        }
        if failedElement >= 0 { failedElement += start }
        return isRead
    }
}

extension Message {
    @inline(__always)
    fileprivate mutating func read(_ reader: inout ValueReader) -> Bool {
        withUnsafeMutablePointer(to: &self) { reader.read(into: $0) }
    }
}
