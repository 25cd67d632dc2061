// SPDX-License-Identifier: Apache-2.0

/// A protobuf message as a Swift value.
///
/// Values are decoded and encoded exactly as the C++ reference does it (protobuf 3.21): pieces of a split message merge,
/// the last of repeated singular fields wins, undeclared values of proto2 enums and all unknown fields are kept. One
/// difference: strings are Swift strings, so a proto2 string that is not UTF-8 is refused as a proto3 string is.
public protocol Message: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Package and name with dots, as in the .proto file: `mesos.slave.ContainerConfig`.
    static var fullName: String { get }

    /// Decodes the binary form. The bytes are read only during the call.
    ///
    /// `memoryLimit`: bytes that may be used besides the input; more is `WireError.Code.memoryLimit`.
    init(decoding bytes: UnsafeRawBufferPointer, memoryLimit: Int) throws(WireError)

    /// Encodes the binary form: known fields by number, maps by key, then the unknown fields in their order of arrival.
    /// The same value always gives the same bytes.
    ///
    /// Throws `tooDeep` for a value of more than 100 levels and `tooLarge` for one of 2 GiB or more.
    func encoded() throws(WireError) -> [UInt8]

    /// Reads the protobuf JSON mapping. Members carry the field names of the .proto file; lowerCamel names are
    /// understood, too. Unknown members are errors.
    init(json: String) throws(WireError)

    /// Writes the protobuf JSON mapping with the field names of the .proto file. Unknown fields do not show.
    func json(_ style: JSONStyle) throws(WireError) -> String
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

extension Message {
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        try self.init(decoding: bytes, memoryLimit: defaultMemoryLimit)
    }

    public init(decoding bytes: [UInt8], memoryLimit: Int = defaultMemoryLimit) throws(WireError) {
        let result: Result<Self, WireError> = bytes.withUnsafeBytes { buffer in
            do throws(WireError) {
                return .success(try Self(decoding: buffer, memoryLimit: memoryLimit))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    public func json() throws(WireError) -> String { try json(.compact) }

    /// The message's name and its JSON, for logs and tests.
    public var description: String {
        do throws(WireError) {
            return "\(Self.fullName) \(try json(.compact))"
        } catch {
            return "\(Self.fullName) (\(error))"
        }
    }

    public var debugDescription: String {
        do throws(WireError) {
            return "\(Self.fullName) \(try json(.compact))"
        } catch {
            return "\(Self.fullName) (\(error))"
        }
    }
}
