// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A protobuf message as a Swift value.
///
/// Values are decoded and encoded exactly as the C++ reference does it (protobuf 3.21): pieces of a split message merge,
/// the last of repeated singular fields wins, undeclared values of proto2 enums and all unknown fields are kept. One
/// difference: strings are Swift strings, so a proto2 string that is not UTF-8 is refused as a proto3 string is.
///
/// Two messages are equal if they encode to the same bytes: an absent field and one that holds its default are two
/// things, NaN is itself, and unknown fields count.
public protocol Message: Sendable, Hashable, CustomStringConvertible {
    /// For the codec.
    static var schema: MessageSchema { get }

    /// For the codec: nothing is set, not even what is required.
    init(_ unset: UnsetFields)

    /// For the codec: shows it every field.
    mutating func walk(_ w: inout FieldWalk)
}

/// How JSON is laid out.
public enum JSONStyle: Sendable {
    /// On one line, without spaces.
    case compact
    /// One member a line, indented by two spaces.
    case indented
}

/// What a decode may use besides its input unless its caller says otherwise: 64 MiB.
public let defaultMemoryLimit = 64 << 20

/// What a decode may use whatever its caller allows: 128 bytes for each byte of input and 64 KiB. Honest messages need a
/// third of it; more has been made to hurt (ADR 0014).
func memoryBound(_ inputSize: Int) -> Int {
    128 * min(inputSize, Int.max >> 8) + (64 << 10)
}

extension Message {
    /// Package and name with dots, as in the .proto file: `mesos.slave.ContainerConfig`.
    public static var fullName: String {
        @_semantics("optimize.sil.specialize.generic.never")
        get { Codec.fullName(Self.schema.table) }
    }

    /// Decodes the binary form. The bytes are read only during the call.
    ///
    /// `memoryLimit`: bytes that may be used besides the input, for the value and for decoding it; more is
    /// `WireError.Code.memoryLimit`.
    @_semantics("optimize.sil.specialize.generic.never")
    public init(decoding bytes: UnsafeRawBufferPointer, memoryLimit: Int = defaultMemoryLimit) throws(WireError) {
        let schema = Self.schema
        let limit = min(memoryLimit, memoryBound(bytes.count))
        var reader = ValueReader(bytes, budget: limit)
        self.init(UnsetFields())
        let isRead = withUnsafeMutablePointer(to: &self) {
            reader.readFields(UnsafeMutableRawPointer($0), schema.layout)
        }
        if isRead && !reader.isSuspect { return }
        if !isRead { self = Self(UnsetFields()) }
        try reader.judge(bytes, schema.table, isRead: isRead, memoryLimit: limit)
    }

    /// Decodes the binary form. `memoryLimit` as above.
    @_semantics("optimize.sil.specialize.generic.never")
    public init(decoding bytes: [UInt8], memoryLimit: Int = defaultMemoryLimit) throws(WireError) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(WireError) in
            try Self(decoding: UnsafeRawBufferPointer(bytes), memoryLimit: memoryLimit)
        }
    }

    /// Encodes the binary form: known fields by number, maps by key, then the unknown fields in their order of arrival.
    /// The same value always gives the same bytes.
    ///
    /// Throws `tooDeep` for a value of more than 100 levels and `tooLarge` for one of 2 GiB or more.
    @_semantics("optimize.sil.specialize.generic.never")
    public func encoded() throws(WireError) -> [UInt8] {
        try withEncoded { bytes throws(WireError) in [UInt8](bytes) }
    }

    /// Encodes the binary form without a copy: `body` may look at the bytes during the call. Throws like `encoded`.
    @_semantics("optimize.sil.specialize.generic.never")
    public func withEncoded<R>(_ body: (UnsafeRawBufferPointer) throws(WireError) -> R) throws(WireError) -> R {
        var walk = FieldWalk(encoding: Self.schema)
        withUnsafePointer(to: self) { value in
            // An encoding walk changes nothing; the place only has the type of one that could be changed.
            UnsafeMutablePointer(mutating: value).pointee.walk(&walk)
        }
        if let error = walk.error(Self.fullName) { throw error }
        return try body(walk.encoded)
    }

    /// Reads the protobuf JSON mapping. Members carry the field names of the .proto file; lowerCamel names are
    /// understood, too. Unknown members are errors. `memoryLimit` as above.
    @_semantics("optimize.sil.specialize.generic.never")
    public init(json: String, memoryLimit: Int = defaultMemoryLimit) throws(WireError) {
        let codec = Codec(memoryLimit: memoryLimit)
        self = try Self(decoding: try codec.parse(Self.schema.table, json), memoryLimit: memoryLimit)
    }

    /// Writes the protobuf JSON mapping with the field names of the .proto file. Unknown fields do not show.
    ///
    /// Throws `tooDeep` for a value of more than 100 levels.
    @_semantics("optimize.sil.specialize.generic.never")
    public func json(_ style: JSONStyle = .compact) throws(WireError) -> String {
        let schema = Self.schema
        return try withEncoded { bytes throws(WireError) in
            let codec = Codec(memoryLimit: .max)
            return try codec.write(schema.table, try codec.decode(schema.table, bytes), style)
        }
    }

    /// Protobuf's text format on one line, for logs and tests: `value: "b" parent { value: "a" }`. Unknown fields appear
    /// under their numbers.
    public var description: String {
        @_semantics("optimize.sil.specialize.generic.never")
        get {
            do throws(WireError) {
                return try withEncoded { bytes throws(WireError) in
                    let codec = Codec(memoryLimit: .max)
                    return codec.text(Self.schema.table, try codec.decode(Self.schema.table, bytes))
                }
            } catch {
                return "(\(error))"
            }
        }
    }
}

// MARK: comparison

/// Messages are compared by their encodings. Comparing field by field would be a fifth of the module's machine code;
/// only identifiers, which are keys of dictionaries, do.
extension Message {
    @_semantics("optimize.sil.specialize.generic.never")
    public static func == (a: Self, b: Self) -> Bool {
        guard let a = try? a.encoded(), let b = try? b.encoded() else { return false }
        return a == b
    }

    @_semantics("optimize.sil.specialize.generic.never")
    public func hash(into hasher: inout Hasher) {
        guard let bytes = try? encoded() else { return }
        hasher.combine(bytes)
    }
}
