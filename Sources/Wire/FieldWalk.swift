// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A walk over all fields of a value, either to fill them from C structs or to encode them.
///
/// Generated code has one function for each message, which names every field once, from the highest number to the
/// lowest, and passes its place. So what is decoded and what is encoded cannot differ, and there is half as much to
/// compile. A walk that encodes changes nothing, though it is handed places that could be changed.
///
/// The functions for one kind of field each are in the extensions. None of them is meant to be inlined: a call is all
/// that the generated code has for each field.
public struct FieldWalk: ~Copyable {
    /// Fills values; otherwise encodes them.
    let isLifting: Bool

    /// Of the message that is walked: one descriptor for each field, sorted by number.
    var fields: UnsafePointer<ProtobufCFieldDescriptor>
    /// The entries of maps have their key and their value on the wire, whatever they are.
    var isEntry = false
    /// When something fails, the rest of the walk does nothing.
    var failure: WireError.Code?
    /// From the field that failed up to the root.
    var failurePath: [(field: UnsafePointer<ProtobufCFieldDescriptor>?, index: Int)] = []

    // MARK: filling

    /// The C struct of the message that is walked.
    var source: UnsafeRawPointer
    /// Bytes that may still be allocated.
    var budget: Int

    // MARK: encoding

    /// Written from its end to its front, so that the length of a sub-message is known when it is written.
    var buffer: UnsafeMutableBufferPointer<UInt8>
    var start: Int
    /// Of the message that is walked, below the root.
    var level = 0

    /// Fills a value of a type with these fields from the C struct at `source`.
    init(lifting source: UnsafeRawPointer, _ schema: MessageSchema, budget: Int) {
        isLifting = true
        fields = FieldWalk.fields(of: schema)
        self.source = source
        self.budget = budget
        buffer = UnsafeMutableBufferPointer(start: nil, count: 0)
        start = 0
    }

    /// Encodes a value of a type with these fields.
    init(encoding schema: MessageSchema) {
        isLifting = false
        fields = FieldWalk.fields(of: schema)
        source = UnsafeRawPointer(fields)
        budget = 0
        buffer = FieldWalk.scratch() ?? .allocate(capacity: 4096)
        start = buffer.count
    }

    deinit {
        FieldWalk.giveBack(buffer)
    }

    /// The thread's own block, if nobody uses it now.
    private static func scratch() -> UnsafeMutableBufferPointer<UInt8>? {
        cp_scratch_take().map { UnsafeMutableBufferPointer(start: $0, count: Int(CP_SCRATCH_SIZE)) }
    }

    static func giveBack(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        guard let base = buffer.baseAddress, !cp_scratch_give(base) else { return }
        buffer.deallocate()
    }

    /// Messages without fields have no list of them; nobody asks for an element of it.
    private static func fields(of schema: MessageSchema) -> UnsafePointer<ProtobufCFieldDescriptor> {
        schema.fields ?? UnsafePointer(FieldWalk.noFields)
    }

    private nonisolated(unsafe) static let noFields = UnsafeMutablePointer<ProtobufCFieldDescriptor>.allocate(
        capacity: 1)

    /// `field`: -1 for the message itself.
    @inline(never)
    mutating func fail(_ code: WireError.Code, _ field: Int, _ element: Int = -1) {
        if failure == nil { failure = code }
        if field >= 0 { failurePath.append((fields + field, element)) }
    }

    /// After a failure in what a field holds.
    @inline(never)
    mutating func trace(_ field: Int, _ element: Int) {
        failurePath.append((fields + field, element))
    }

    /// The message's name is that of the root.
    func error(_ messageName: String) -> WireError? {
        guard let failure else { return nil }
        return WireError(failure, offset: nil, messageName: messageName, path: fieldPath(failurePath.reversed()))
    }
}

// MARK: filling

extension FieldWalk {
    /// Where a field is in the C struct.
    @inline(__always)
    func place(_ field: Int) -> UnsafeRawPointer {
        source + Int(fields[field].offset)
    }

    @inline(__always)
    func load<T: BitwiseCopyable>(_ field: Int, as type: T.Type) -> T {
        place(field).load(as: type)
    }

    /// Is an optional number, string or bytes there? In proto3 it is the one member of a oneof.
    @inline(__always)
    func has(_ field: Int) -> Bool {
        let quantifier = source.load(fromByteOffset: Int(fields[field].quantifier_offset), as: UInt32.self)
        let isMember = fields[field].flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
        return isMember ? quantifier == fields[field].id : quantifier != 0
    }

    /// Elements of a repeated field; for other fields of messages, 1 or 0.
    @inline(__always)
    func count(_ field: Int) -> Int {
        source.load(fromByteOffset: Int(fields[field].quantifier_offset), as: Int.self)
    }

    /// Is this the member of its oneof that was decoded? Never while encoding.
    mutating func chose(_ field: Int) -> Bool {
        guard isLifting else { return false }
        let chosen = source.load(fromByteOffset: Int(fields[field].quantifier_offset), as: UInt32.self)
        return chosen == fields[field].id
    }

    /// Takes from the budget; false if nothing is left.
    @inline(__always)
    mutating func spend(_ bytes: Int, _ field: Int) -> Bool {
        budget -= bytes
        if budget >= 0 { return true }
        if failure == nil { fail(.memoryLimit, field) }
        return false
    }
}

/// What an array, a string or a box has in memory before its content.
let heapHeader = 32
