// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A walk over all fields of a value: to encode them, to note where they are (`Layout`), or to fill one of them.
///
/// Generated code has one function for each message, which names every field once, from the highest number to the
/// lowest, and passes its place. So what is decoded and what is encoded cannot differ, and there is half as much to
/// compile. A walk that encodes changes nothing, though it is handed places that could be changed.
///
/// The functions for one kind of field each are in the extensions. None of them is meant to be inlined: a call is all
/// that the generated code has for each field.
public struct FieldWalk: ~Copyable {
    enum Purpose {
        case encoding
        /// Fields are entered in the layout, by their distance from `base`.
        case measuring(UnsafeMutablePointer<Layout>, base: UnsafeMutableRawPointer)
        /// One member of a oneof gets what the reader comes to next.
        case filling(Int, UnsafeMutablePointer<ValueReader>, UnsafePointer<Layout>, base: UnsafeMutableRawPointer)
    }

    let purpose: Purpose
    let isEncoding: Bool

    /// Of the message that is walked: one descriptor for each field, sorted by number.
    var fields: UnsafePointer<ProtobufCFieldDescriptor>
    /// The entries of maps have their key and their value on the wire, whatever they are.
    var isEntry = false
    /// When something fails, the rest of the walk does nothing.
    var failure: WireError.Code?
    /// From the field that failed up to the root.
    var failurePath: [(field: UnsafePointer<ProtobufCFieldDescriptor>?, index: Int)] = []

    /// Written from its end to its front, so that the length of a sub-message is known when it is written.
    var buffer: UnsafeMutableBufferPointer<UInt8>
    var start: Int
    /// Of the message that is walked, below the root.
    var level = 0

    /// Encodes a value of a type with these fields.
    init(encoding schema: MessageSchema) {
        purpose = .encoding
        isEncoding = true
        fields = FieldWalk.fields(of: schema.table)
        buffer = FieldWalk.scratch() ?? .allocate(capacity: 4096)
        start = buffer.count
    }

    init(_ purpose: Purpose, _ table: UnsafePointer<cp_message>) {
        self.purpose = purpose
        isEncoding = false
        fields = FieldWalk.fields(of: table)
        buffer = UnsafeMutableBufferPointer(start: nil, count: 0)
        start = 0
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
    private static func fields(of table: UnsafePointer<cp_message>) -> UnsafePointer<ProtobufCFieldDescriptor> {
        table.pointee.descriptor.pointee.fields ?? UnsafePointer(FieldWalk.noFields)
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

// MARK: places

extension FieldWalk {
    /// Enters a field in the layout, or fills it if it is the one. -1 for the unknown fields.
    @inline(__always)
    mutating func visit<T>(
        _ field: Int, _ kind: FieldLayout.Kind, _ value: inout T, _ read: FieldLayout.Reader? = nil
    ) {
        withUnsafeMutablePointer(to: &value) {
            visit(field, kind, at: UnsafeMutableRawPointer($0), MemoryLayout<T>.size, read)
        }
    }

    @inline(never)
    private mutating func visit(
        _ field: Int, _ kind: FieldLayout.Kind, at place: UnsafeMutableRawPointer, _ size: Int,
        _ read: FieldLayout.Reader?
    ) {
        switch purpose {
        case .encoding: break
        case .measuring(let layout, let base): layout.pointee.enter(field, kind, place - base, size, read)
        case .filling(let member, let reader, let layout, let base):
            guard field == member else { return }
            var inner = layout.pointee.fields[field]
            (inner.kind, inner.offset, inner.read) = (kind, place - base, read)
            reader.pointee.hasFilled = reader.pointee.read(&inner, base, layout)
        }
    }

    /// Is this the member of its oneof that is filled, or to be entered in the layout? Never while encoding.
    mutating func chose(_ field: Int) -> Bool {
        switch purpose {
        case .encoding: return false
        case .filling(let member, _, _, _): return member == field
        case .measuring(let layout, _):
            layout.pointee.enter(field, .member, 0, 0, nil)
            return false
        }
    }
}

/// What an array, a string or a box has in memory before its content.
let heapHeader = 32
