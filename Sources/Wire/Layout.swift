// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// Where the fields of a message are in its Swift value, and how they are read. Found out by a walk over a value with
/// nothing set, once for each type: the compiler lays values out, so it is the one to ask.
struct Layout {
    let table: UnsafePointer<cp_message>
    let message: any Message.Type
    /// In step with the table's. Never freed.
    let fields: UnsafeMutablePointer<FieldLayout>
    let count: Int
    /// In bytes, of the value.
    let size: Int
    /// Bits of the fields that a message must have.
    private(set) var required: UInt64
    let lookup: UnsafePointer<UInt8>?
    let lookupSize: UInt32
    /// Of the unknown fields, in bytes from the value's start; -1 for the entries of maps, which have none.
    private(set) var unknown = -1

    static func make(
        _ table: UnsafePointer<cp_message>, _ message: any Message.Type, _ base: UnsafeMutableRawPointer, _ size: Int,
        _ walk: (inout FieldWalk) -> Void
    ) -> UnsafePointer<Layout> {
        let layout = UnsafeMutablePointer<Layout>.allocate(capacity: 1)
        let count = Int(table.pointee.descriptor.pointee.n_fields)
        layout.initialize(
            to: Layout(
                table: table, message: message, fields: .allocate(capacity: count), count: count, size: size,
                required: table.pointee.required, lookup: table.pointee.lookup, lookupSize: table.pointee.lookup_size))
        for index in 0..<count { (layout.pointee.fields + index).initialize(to: FieldLayout(table, index)) }
        layout.pointee.requireValue()
        var measuring = FieldWalk(.measuring(layout, base: base), table)
        walk(&measuring)
        return UnsafePointer(layout)
    }

    /// An entry of a map without a value has an empty one, which may lack a field that it must have.
    private mutating func requireValue() {
        guard table.pointee.is_map_entry != 0, let value = table.pointee.fields[1].message,
            value.pointee.required != 0
        else { return }
        required = 1 << 63
        fields[1].required = required
    }

    mutating func enter(
        _ field: Int, _ kind: FieldLayout.Kind, _ offset: Int, _ size: Int, _ read: FieldLayout.Reader?
    ) {
        // A property that were computed would be somewhere else.
        precondition(offset >= 0 && offset + size <= self.size, "a field outside of its message")
        guard field >= 0 else {
            unknown = offset
            return
        }
        fields[field].kind = kind
        fields[field].offset = offset
        fields[field].read = read
    }

    @inline(__always)
    func field(_ number: UInt32) -> UnsafeMutablePointer<FieldLayout>? {
        guard number < lookupSize, let lookup else { return search(number) }
        let index = Int(lookup[Int(number)])
        return index == 0 ? nil : fields + (index - 1)
    }

    private func search(_ number: UInt32) -> UnsafeMutablePointer<FieldLayout>? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let found = fields[middle].tag >> 3
            if found == number { return fields + middle }
            if found < number { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}

struct FieldLayout {
    /// The type of what is at the place, and what happens there when the field comes.
    enum Kind: UInt8 {
        case one, four, eight
        case optionalOne, optionalFour, optionalEight
        case text, optionalText, texts
        case bytes, optionalBytes, byteArrays
        /// A oneof's: the message is walked.
        case member
        /// `read` does it: messages, maps and repeated numbers.
        case other
    }

    /// How a number is on the wire.
    enum Form: UInt8 {
        case varint, zigzag32, zigzag64, fixed32, fixed64, none
    }

    typealias Reader = (
        inout ValueReader, UnsafePointer<FieldLayout>, _ base: UnsafeMutableRawPointer, UnsafePointer<Layout>
    ) -> Bool

    /// With the wire type that its values have.
    let tag: UInt32
    let form: Form
    /// A repeated number, which may come packed.
    let isPackable: Bool
    var kind = Kind.other
    /// In bytes from the value's start.
    var offset = 0
    /// Its bit, if it is required.
    var required: UInt64
    /// Of an enum whose undeclared values are unknown fields.
    let closed: UnsafePointer<ProtobufCEnumDescriptor>?
    /// The first of its ranges of declared values, for most the only one.
    private var declared: (first: Int32, count: UInt32) = (0, 0)
    var read: Reader?

    init(_ table: UnsafePointer<cp_message>, _ index: Int) {
        let field = table.pointee.descriptor.pointee.fields[index]
        let extra = table.pointee.fields[index]
        let wireType: UInt32
        (form, wireType) = FieldLayout.form(of: field.type)
        tag = field.id << 3 | wireType
        isPackable = field.label == PROTOBUF_C_LABEL_REPEATED && form != .none
        required = field.label == PROTOBUF_C_LABEL_REQUIRED ? 1 << UInt64(extra.bit) : 0
        let isClosed = extra.flags & UInt8(CP_FIELD_CLOSED) != 0
        closed = isClosed ? field.descriptor?.assumingMemoryBound(to: ProtobufCEnumDescriptor.self) : nil
        if let closed, let ranges = closed.pointee.value_ranges, closed.pointee.n_value_ranges != 0 {
            declared = (ranges[0].start_value, ranges[1].orig_index - ranges[0].orig_index)
        }
    }

    /// Is this a value of the enum, if the field has one whose values are closed?
    @inline(__always)
    func declares(_ bits: UInt64) -> Bool {
        guard let closed else { return true }
        let value = Int32(truncatingIfNeeded: bits)
        return UInt32(bitPattern: value &- declared.first) < declared.count || cp_enum_declares(closed, value)
    }

    private static func form(of type: ProtobufCType) -> (Form, wireType: UInt32) {
        switch type {
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: (.none, 2)
        case PROTOBUF_C_TYPE_SINT32: (.zigzag32, 0)
        case PROTOBUF_C_TYPE_SINT64: (.zigzag64, 0)
        case PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT: (.fixed32, 5)
        case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_DOUBLE: (.fixed64, 1)
        default: (.varint, 0)
        }
    }

    /// As protobuf-c has it, of a message with this table.
    func descriptor(_ table: UnsafePointer<cp_message>) -> UnsafePointer<ProtobufCFieldDescriptor>? {
        let descriptor = table.pointee.descriptor.pointee
        return (0..<Int(descriptor.n_fields)).first { descriptor.fields[$0].id == tag >> 3 }.map {
            descriptor.fields + $0
        }
    }
}
