// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Prints the Swift values of one .proto file.
///
/// The code is meant to compile quickly: one plain statement for each field, no closures but for maps, no expressions
/// whose type has to be found out.
struct ValuePrinter {
    let model: Model

    func source(of file: FileDescriptor) -> String {
        var p = newPrinter()
        p.lines(banner(file.name))
        p.print("internal import CProto")
        let outer = model.swiftName(namespace(file.package))
        p.print("", "extension \(outer) {")
        p.withIndentation { p in
            var first = true
            for type in file.enums {
                if !first { p.print() }
                first = false
                printEnum(type, &p)
            }
            for message in file.messages {
                if !first { p.print() }
                first = false
                printStruct(message, &p)
            }
        }
        p.print("}")
        for message in file.everyMessage(mapEntries: false) {
            p.print()
            printConformance(message, &p)
        }
        return p.content
    }

    private func printEnum(_ type: EnumDescriptor, _ p: inout CodePrinter) {
        let accessor = cLowerName(type.fullName) + "__type()"
        p.comment(type)
        p.print("public struct \(typeName(type.name, isEnum: true)): WireEnum {")
        p.withIndentation { p in
            p.print("public var rawValue: Int32")
            p.print("public init(rawValue: Int32) { self.rawValue = rawValue }", "")
            for (value, name) in zip(type.values, type.swiftValueNames) {
                p.comment(value)
                p.print("public static var \(escaped(name)): Self { Self(rawValue: \(value.number)) }")
            }
            p.print("", "private static var descriptor: UnsafePointer<ProtobufCEnumDescriptor> {")
            p.print("    \(accessor)", "}", "")
            p.print("public init?(name: String) {")
            p.print("    guard let value = Codec.enumValue(Self.descriptor, name) else { return nil }")
            p.print("    rawValue = value", "}", "")
            p.print("public var name: String? { Codec.enumName(Self.descriptor, rawValue) }")
        }
        p.print("}")
    }

    private func printStruct(_ message: Descriptor, _ p: inout CodePrinter) {
        p.comment(message)
        // Otherwise it is Message that makes it Hashable.
        let hashable = model.isIdentifier(message) ? ", Hashable" : ""
        p.print("public struct \(typeName(message.name, isEnum: false)): Sendable\(hashable) {")
        p.withIndentation { p in
            for member in members(of: message) { printProperty(member, &p) }
            p.print("/// Fields that this version does not know, as they are encoded again.")
            p.print("public var unknownFields: [UInt8] = []", "")
            printInitializer(message, &p)
            for field in message.fields where field.defaultValue != nil { printDefault(field, &p) }
            for oneof in message.realOneofs {
                p.print()
                printOneof(oneof, &p)
            }
            for type in message.enums {
                p.print()
                printEnum(type, &p)
            }
            for inner in message.realMessages {
                p.print()
                printStruct(inner, &p)
            }
        }
        p.print("}")
    }

    private func printProperty(_ member: Member, _ p: inout CodePrinter) {
        switch member {
        case .field(let field): p.comment(field)
        case .oneof(let oneof): p.comment(oneof)
        }
        guard let element = boxedType(member) else {
            p.print("public var \(escaped(member.swiftName)): \(storedType(of: member))")
            return
        }
        let required = type(of: member) == element
        p.print("public var \(escaped(member.swiftName)): \(type(of: member)) {")
        p.print("    get { \(member.swiftName)Box.\(required ? "content" : "value") }")
        p.print("    _modify { yield &\(member.swiftName)Box.\(required ? "content" : "value") }", "}")
        p.print("private var \(member.swiftName)Box: Boxed<\(element)>")
    }

    private func printInitializer(_ message: Descriptor, _ p: inout CodePrinter) {
        let members = members(of: message)
        let parameters = members.map { "\(escaped($0.swiftName)): \(type(of: $0))\(initialValue($0))" }
        let line = "public init(" + parameters.joined(separator: ", ") + ") {"
        // The deepest nesting indents by less than 40.
        if line.count <= 80 {
            p.print(line)
        } else {
            p.print("public init(")
            for (index, parameter) in parameters.enumerated() {
                p.print("    " + parameter + (index + 1 < parameters.count ? "," : ""))
            }
            p.print(") {")
        }
        for member in members {
            if boxedType(member) != nil {
                p.print("    self.\(member.swiftName)Box = Boxed(\(escaped(member.swiftName)))")
            } else {
                p.print("    self.\(member.swiftName) = \(escaped(member.swiftName))")
            }
        }
        p.print("}")
    }

    private func printDefault(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        guard let text = field.defaultValue else { return }
        let value: String
        switch field.type {
        case .string: value = "\"\(text)\""
        case .enum:
            let index = field.enumType.values.firstIndex { $0.name == text } ?? 0
            value = "." + escaped(field.enumType.swiftValueNames[index])
        default: value = text
        }
        let name = field.swiftName
        p.print("", "/// `\(name)`, or its declared default.")
        p.print("public var \(name)OrDefault: \(elementType(of: field)) { self.\(name) ?? \(value) }")
    }

    private func printOneof(_ oneof: OneofDescriptor, _ p: inout CodePrinter) {
        p.print("public enum \(oneof.swiftTypeName): Sendable, Hashable {")
        for field in oneof.fields {
            p.withIndentation { $0.comment(field) }
            let indirect = field.type == .message && model.isBoxed(field.messageType) ? "indirect " : ""
            p.print("    \(indirect)case \(escaped(field.swiftName))(\(elementType(of: field)))")
        }
        p.print("}")
    }

    private func printConformance(_ message: Descriptor, _ p: inout CodePrinter) {
        let conversion = ConversionPrinter(printer: self, message: message)
        p.print("extension \(model.swiftName(of: message)): Message {")
        p.withIndentation { p in
            p.print("public static let schema = MessageSchema(\(cLowerName(message.fullName))__type(), Self.self)")
            p.print()
            conversion.printUnset(&p)
            p.print()
            conversion.printWalk(&p)
        }
        p.print("}")
    }
}

/// A stored property: a field, or a oneof with all its fields.
enum Member {
    case field(FieldDescriptor)
    case oneof(OneofDescriptor)

    var swiftName: String {
        switch self {
        case .field(let field): field.swiftName
        case .oneof(let oneof): oneof.swiftName
        }
    }
}

extension ValuePrinter {
    /// In the order of the .proto file; a oneof stands where its first field does.
    func members(of message: Descriptor) -> [Member] {
        var seen: Set<String> = []
        var members: [Member] = []
        for field in message.fields {
            guard let oneof = field.realContainingOneof else {
                members.append(.field(field))
                continue
            }
            if seen.insert(oneof.name).inserted { members.append(.oneof(oneof)) }
        }
        return members
    }

    /// The Swift type of one value.
    func elementType(of field: FieldDescriptor) -> String {
        switch field.type {
        case .int32, .sint32, .sfixed32: "Int32"
        case .int64, .sint64, .sfixed64: "Int64"
        case .uint32, .fixed32: "UInt32"
        case .uint64, .fixed64: "UInt64"
        case .float: "Float"
        case .double: "Double"
        case .bool: "Bool"
        case .string: "String"
        case .bytes: "[UInt8]"
        case .enum: model.swiftName(of: field.enumType)
        case .message, .group: model.swiftName(of: field.messageType)
        }
    }

    func type(of member: Member) -> String {
        switch member {
        case .oneof(let oneof):
            return oneof.swiftTypeName + "?"
        case .field(let field):
            switch model.cardinality(of: field) {
            case .required, .implicit, .oneofMember: return elementType(of: field)
            case .optional: return elementType(of: field) + "?"
            case .repeated: return "[\(elementType(of: field))]"
            case .map:
                guard let entry = field.messageType.mapKeyAndValue else { return "" }
                return "[\(elementType(of: entry.key)): \(elementType(of: entry.value))]"
            }
        }
    }

    /// Spelled out, an optional has no initial value of its own. With one, each initialiser would make the value twice
    /// and copy it in between.
    private func storedType(of member: Member) -> String {
        let type = type(of: member)
        return type.hasSuffix("?") ? "Optional<\(type.dropLast())>" : type
    }

    /// The type in the box, if the member is held in one.
    func boxedType(_ member: Member) -> String? {
        guard case .field(let field) = member, field.type == .message, !field.isRepeated else { return nil }
        return model.isBoxed(field.messageType) ? elementType(of: field) : nil
    }

    private func initialValue(_ member: Member) -> String {
        if case .field(let field) = member, model.cardinality(of: field) == .required { return "" }
        return " = " + unsetValue(member)
    }

    /// What a property holds when nothing was decoded for it.
    func unsetValue(_ member: Member) -> String {
        guard case .field(let field) = member else { return "nil" }
        switch model.cardinality(of: field) {
        case .optional, .oneofMember: return "nil"
        case .repeated: return "[]"
        case .map: return "[:]"
        case .required, .implicit: return unsetElement(field)
        }
    }

    func unsetElement(_ field: FieldDescriptor) -> String {
        switch field.type {
        case .bool: "false"
        case .string: "\"\""
        case .bytes: "[]" + (field.realContainingOneof == nil ? "" : " as [UInt8]")
        case .enum: field.realContainingOneof == nil ? ".init(rawValue: 0)" : "\(elementType(of: field))(rawValue: 0)"
        case .message: "\(elementType(of: field))(\(field.realContainingOneof == nil ? "unset" : "UnsetFields()"))"
        default: field.realContainingOneof == nil ? "0" : "0 as \(elementType(of: field))"
        }
    }
}
