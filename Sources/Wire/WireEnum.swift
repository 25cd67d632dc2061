// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A protobuf enum. Open: it holds every 32-bit number, declared or not.
///
/// An undeclared value of a proto2 enum that is encoded is an unknown field to whoever decodes it.
public protocol WireEnum: RawRepresentable, Hashable, Sendable, CustomStringConvertible where RawValue == Int32 {
    init(rawValue: Int32)

    /// By the name in the .proto file: `TASK_RUNNING`.
    init?(name: String)

    /// The name in the .proto file; nil for an undeclared number.
    var name: String? { get }
}

extension WireEnum {
    public var description: String { name ?? String(rawValue) }
}

extension Codec {
    static func enumName(_ type: UnsafePointer<ProtobufCEnumDescriptor>, _ value: Int32) -> String? {
        guard let found = protobuf_c_enum_descriptor_get_value(type, value) else { return nil }
        return String(cString: found.pointee.name)
    }

    static func enumValue(_ type: UnsafePointer<ProtobufCEnumDescriptor>, _ name: String) -> Int32? {
        guard let found = protobuf_c_enum_descriptor_get_value_by_name(type, name) else { return nil }
        return found.pointee.value
    }
}
