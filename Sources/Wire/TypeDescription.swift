// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A message type or an enum as its .proto file declares it, for tools that show it.
public struct TypeDescription: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public var name: String
        public var number: Int32
        /// `required`, `optional`, `repeated`, or empty for a proto3 field without presence and for maps.
        public var label: String
        /// `string`, `mesos.ContainerID`, `map<string, int32>`.
        public var type: String
    }

    public struct Value: Hashable, Sendable {
        public var name: String
        public var number: Int32
    }

    /// The full name.
    public var name: String
    /// By number; empty for an enum.
    public var fields: [Field] = []
    /// By number; empty for a message. Of values with the same number the first.
    public var values: [Value] = []
}

extension MessageRegistry {
    /// The message of this name, and then everything that it is made of at any depth, by name. Empty if there is no
    /// such message. An enum is known by the messages that use it.
    public static func describe(_ fullName: String) -> [TypeDescription] {
        guard let type = type(named: fullName) else { return [] }
        var collector = DescriptionCollector()
        collector.add(table(of: type))
        let first = collector.types.removeValue(forKey: fullName)
        return [first].compactMap { $0 } + collector.types.values.sorted { $0.name < $1.name }
    }
}

private struct DescriptionCollector {
    var types: [String: TypeDescription] = [:]

    mutating func add(_ root: UnsafePointer<cp_message>) {
        var waiting = [root]
        while let table = waiting.popLast() {
            let name = Codec.fullName(table)
            guard types[name] == nil else { continue }
            var description = TypeDescription(name: name)
            let descriptor = table.pointee.descriptor.pointee
            for index in 0..<Int(descriptor.n_fields) {
                let (field, extra) = ((descriptor.fields + index).pointee, table.pointee.fields[index])
                if let inner = extra.message, !isMap(extra) { waiting.append(inner) }
                if isMap(extra), let value = extra.message?.pointee.fields[1].message { waiting.append(value) }
                add(enumOf: field, extra)
                description.fields.append(
                    TypeDescription.Field(
                        name: String(cString: field.name), number: Int32(bitPattern: field.id),
                        label: label(field, extra), type: typeName(field, extra)))
            }
            description.fields.sort { $0.number < $1.number }
            types[name] = description
        }
    }

    private func isMap(_ extra: cp_field) -> Bool { extra.flags & UInt8(CP_FIELD_MAP) != 0 }

    private mutating func add(enumOf field: ProtobufCFieldDescriptor, _ extra: cp_field) {
        if isMap(extra), let entry = extra.message {
            return add(enumOf: entry.pointee.descriptor.pointee.fields[1], entry.pointee.fields[1])
        }
        guard field.type == PROTOBUF_C_TYPE_ENUM, let descriptor = field.descriptor else { return }
        let type = descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self).pointee
        let name = String(cString: type.name)
        guard types[name] == nil else { return }
        let values = (0..<Int(type.n_values)).map { index in
            let value = type.values[index]
            return TypeDescription.Value(name: String(cString: value.name), number: Int32(value.value))
        }
        types[name] = TypeDescription(name: name, values: values.sorted { $0.number < $1.number })
    }

    private func label(_ field: ProtobufCFieldDescriptor, _ extra: cp_field) -> String {
        switch field.label {
        case PROTOBUF_C_LABEL_REQUIRED: "required"
        case PROTOBUF_C_LABEL_OPTIONAL: "optional"
        case PROTOBUF_C_LABEL_REPEATED: isMap(extra) ? "" : "repeated"
        default: ""
        }
    }

    private func typeName(_ field: ProtobufCFieldDescriptor, _ extra: cp_field) -> String {
        if isMap(extra), let entry = extra.message {
            let (fields, extras) = (entry.pointee.descriptor.pointee.fields, entry.pointee.fields)
            guard let fields, let extras else { return "map" }
            return "map<\(typeName(fields[0], extras[0])), \(typeName(fields[1], extras[1]))>"
        }
        switch field.type {
        case PROTOBUF_C_TYPE_INT32: return "int32"
        case PROTOBUF_C_TYPE_SINT32: return "sint32"
        case PROTOBUF_C_TYPE_SFIXED32: return "sfixed32"
        case PROTOBUF_C_TYPE_INT64: return "int64"
        case PROTOBUF_C_TYPE_SINT64: return "sint64"
        case PROTOBUF_C_TYPE_SFIXED64: return "sfixed64"
        case PROTOBUF_C_TYPE_UINT32: return "uint32"
        case PROTOBUF_C_TYPE_FIXED32: return "fixed32"
        case PROTOBUF_C_TYPE_UINT64: return "uint64"
        case PROTOBUF_C_TYPE_FIXED64: return "fixed64"
        case PROTOBUF_C_TYPE_FLOAT: return "float"
        case PROTOBUF_C_TYPE_DOUBLE: return "double"
        case PROTOBUF_C_TYPE_BOOL: return "bool"
        case PROTOBUF_C_TYPE_MESSAGE: return extra.message.map { Codec.fullName($0) } ?? "message"
        case PROTOBUF_C_TYPE_ENUM:
            let type = field.descriptor?.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            return type.map { String(cString: $0.pointee.name) } ?? "enum"
        default: return extra.flags & UInt8(CP_FIELD_TEXT) != 0 ? "string" : "bytes"
        }
    }
}
