// SPDX-License-Identifier: Apache-2.0
import CProto
import Testing

@testable import Wire

/// The descriptors that the codec works by, against the table of facts, row by row.
@Suite struct DescriptorTests {
    private static let rows = GoldenCase.table("fields")

    @Test func everyFieldOfTheTable() throws {
        #expect(Self.rows.count == 1794)
        for row in Self.rows {
            let table = try #require(schemaTable(row[0]), "\(row)")
            let found = index(of: row[1], table)
            let index = try #require(found, "\(row)")
            let field = table.pointee.descriptor.pointee.fields[index]
            #expect(field.id == UInt32(row[2]), "\(row)")
            #expect(label(field, table.pointee.fields[index], row[5]) == row[3], "\(row)")
            #expect(type(field, table.pointee.fields[index]) == row[4], "\(row)")
            let isPacked = field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_PACKED.rawValue) != 0
            #expect(isPacked == (row[7] == "yes"), "\(row)")
            // protoc-c is not told of strings' defaults; see `defaultsOfStrings`.
            if row[4] != "string" { #expect(defaultValue(field) == row[6], "\(row)") }
        }
    }

    @Test func defaultsOfStrings() {
        let declared = Self.rows.filter { $0[4] == "string" && !$0[6].isEmpty }.map { "\($0[0]).\($0[1]) = \($0[6])" }
        let values = [
            "mesos.CSIPluginInfo.name = \(Mesos.CSIPluginInfo(type: "").nameOrDefault)",
            "mesos.FrameworkInfo.role = \(Mesos.FrameworkInfo(user: "", name: "").roleOrDefault)",
            "mesos.Resource.role = \(Mesos.Resource(name: "", type: .scalar).roleOrDefault)",
        ]
        #expect(Set(declared) == Set(values))
    }

    @Test func everyValueOfEveryEnum() throws {
        var enums: [String: UnsafePointer<ProtobufCEnumDescriptor>] = [:]
        var closed: [String: Bool] = [:]
        for name in MessageRegistry.names {
            let table = try #require(schemaTable(name)).pointee
            for index in 0..<Int(table.descriptor.pointee.n_fields) {
                let field = table.descriptor.pointee.fields[index]
                guard field.type == PROTOBUF_C_TYPE_ENUM else { continue }
                let type = field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
                enums[String(cString: type.pointee.name)] = type
                closed[String(cString: type.pointee.name)] = table.fields[index].flags & UInt8(CP_FIELD_CLOSED) != 0
            }
        }
        let rows = GoldenCase.table("values")
        #expect(rows.count == 344 + 47 + 14)
        for row in rows {
            guard let type = enums[row[0]] else {
                // Declared, but no message has a field of it.
                #expect(Self.unusedEnums.contains(row[0]), "\(row)")
                continue
            }
            let value = try #require(protobuf_c_enum_descriptor_get_value_by_name(type, row[1]), "\(row)")
            #expect(value.pointee.value == Int32(row[2]), "\(row)")
            #expect(closed[row[0]] == (row[4] == "no"), "\(row)")
        }
        for (name, type) in enums where !name.hasPrefix("gantry.") {
            #expect(rows.filter { $0[0] == name }.count == Int(type.pointee.n_value_names), "\(name)")
        }
    }

    private static let unusedEnums: Set<String> = []

    @Test func noFieldBesideTheTable() throws {
        let declared = Set(Self.rows.map { "\($0[0]).\($0[1])" })
        for name in MessageRegistry.names where !name.hasPrefix("gantry.") {
            let table = try #require(schemaTable(name))
            for index in 0..<Int(table.pointee.descriptor.pointee.n_fields) {
                let field = String(cString: table.pointee.descriptor.pointee.fields[index].name)
                #expect(declared.contains("\(name).\(field)"))
            }
        }
    }

    /// The decoder finds a field by its number in a table that is generated beside the descriptor.
    @Test func lookupTablesAgree() throws {
        for name in MessageRegistry.names {
            let table = try #require(schemaTable(name)).pointee
            let count = Int(table.descriptor.pointee.n_fields)
            var found = 0
            for number in 0..<Int(table.lookup_size) where table.lookup[number] != 0 {
                let index = Int(table.lookup[number]) - 1
                #expect(table.descriptor.pointee.fields[index].id == UInt32(number), "\(name)")
                found += 1
            }
            #expect(found == count, "\(name)")
            for index in 1..<max(1, count) {
                let fields = table.descriptor.pointee.fields!
                #expect(fields[index - 1].id < fields[index].id, "\(name)")
            }
        }
    }

    @Test func requiredBitsAreDistinct() throws {
        for name in MessageRegistry.names {
            let table = try #require(schemaTable(name)).pointee
            var seen: UInt64 = 0
            for index in 0..<Int(table.descriptor.pointee.n_fields)
            where table.descriptor.pointee.fields[index].label == PROTOBUF_C_LABEL_REQUIRED {
                let bit = UInt64(1) << UInt64(table.fields[index].bit)
                #expect(seen & bit == 0, "\(name)")
                seen |= bit
            }
            #expect(seen == table.required, "\(name)")
        }
    }

    private func schemaTable(_ name: String) -> UnsafePointer<cp_message>? {
        guard let type = MessageRegistry.type(named: name) else { return nil }
        return table(type)
    }

    private func table<M: Message>(_ type: M.Type) -> UnsafePointer<cp_message> { M.schema.table }

    private func index(of name: String, _ table: UnsafePointer<cp_message>) -> Int? {
        let descriptor = table.pointee.descriptor.pointee
        return (0..<Int(descriptor.n_fields)).first { String(cString: descriptor.fields[$0].name) == name }
    }

    private func label(_ field: ProtobufCFieldDescriptor, _ extra: cp_field, _ syntax: String) -> String {
        if extra.flags & UInt8(CP_FIELD_MAP) != 0 { return "map" }
        if field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 {
            // What proto3 calls `optional` is a oneof with one member.
            return String(cString: field.name) == "socket_dir" ? "optional" : "oneof:\(oneofName(field))"
        }
        switch field.label {
        case PROTOBUF_C_LABEL_REQUIRED: return "required"
        case PROTOBUF_C_LABEL_REPEATED: return "repeated"
        default:
            let isMessage = field.type == PROTOBUF_C_TYPE_MESSAGE
            return syntax == "proto3" && !isMessage ? "implicit" : "optional"
        }
    }

    /// protobuf-c's descriptors do not name oneofs.
    private func oneofName(_ field: ProtobufCFieldDescriptor) -> String {
        let name = String(cString: field.name)
        if ["symlink", "mkdir", "rename"].contains(name) || (name == "mount" && field.id == 5) { return "parameters" }
        return name == "block" || name == "mount" ? "access_type" : "type"
    }

    private func defaultValue(_ field: ProtobufCFieldDescriptor) -> String {
        guard let value = field.default_value else { return "" }
        switch field.type {
        case PROTOBUF_C_TYPE_INT32: return "\(value.load(as: Int32.self))"
        case PROTOBUF_C_TYPE_INT64: return "\(value.load(as: Int64.self))"
        case PROTOBUF_C_TYPE_UINT32: return "\(value.load(as: UInt32.self))"
        case PROTOBUF_C_TYPE_UINT64: return "\(value.load(as: UInt64.self))"
        case PROTOBUF_C_TYPE_BOOL: return value.load(as: protobuf_c_boolean.self) != 0 ? "true" : "false"
        case PROTOBUF_C_TYPE_DOUBLE:
            let text = "\(value.load(as: Double.self))"
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        default:
            let type = field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            let name = protobuf_c_enum_descriptor_get_value(type, value.load(as: Int32.self))
            return name.map { String(cString: $0.pointee.name) } ?? "?"
        }
    }

    private func type(_ field: ProtobufCFieldDescriptor, _ extra: cp_field) -> String {
        switch field.type {
        case PROTOBUF_C_TYPE_INT32: return "int32"
        case PROTOBUF_C_TYPE_INT64: return "int64"
        case PROTOBUF_C_TYPE_UINT32: return "uint32"
        case PROTOBUF_C_TYPE_UINT64: return "uint64"
        case PROTOBUF_C_TYPE_DOUBLE: return "double"
        case PROTOBUF_C_TYPE_BOOL: return "bool"
        case PROTOBUF_C_TYPE_BYTES: return extra.flags & UInt8(CP_FIELD_TEXT) != 0 ? "string" : "bytes"
        case PROTOBUF_C_TYPE_ENUM:
            return String(cString: field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self).pointee.name)
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let table = extra.message else { return "" }
            guard extra.flags & UInt8(CP_FIELD_MAP) != 0 else {
                return String(cString: table.pointee.descriptor.pointee.name)
            }
            let parts = (0..<2).map { type(table.pointee.descriptor.pointee.fields[$0], table.pointee.fields[$0]) }
            return "map<\(parts[0]), \(parts[1])>"
        default: return "?"
        }
    }
}
