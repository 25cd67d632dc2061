// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Prints `init(copying:)` and `lower(into:)`: a Swift value from a C struct and back.
struct ConversionPrinter {
    let printer: ValuePrinter
    let message: Descriptor

    private var model: Model { printer.model }

    // MARK: from C

    func printCopying(_ p: inout CodePrinter) {
        p.print("init(copying c: UnsafePointer<CStruct>) {")
        p.withIndentation { p in
            for member in printer.members(of: message) {
                switch member {
                case .field(let field): printCopying(field, &p)
                case .oneof(let oneof): printCopying(oneof, &p)
                }
            }
            p.print("if c.pointee.base.n_unknown_fields != 0 { self.unknownFields = Lift.unknown(c.pointee.base) }")
        }
        p.print("}")
    }

    private func printCopying(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        let boxed = printer.boxedType(.field(field)) != nil
        let target = "self.\(field.swiftName)" + (boxed ? "Box" : "")
        let source = "c.pointee.\(field.cName)"
        switch model.cardinality(of: field) {
        case .required, .implicit:
            let value = swiftValue(of: field, source)
            p.print("\(target) = \(boxed ? "Boxed(\(value))" : value)")
        case .optional where field.type == .message:
            let value = swiftValue(of: field, "value")
            p.print("if let value = \(source) {")
            p.print("    \(target) = \(boxed ? "Boxed(\(value))" : value)")
            p.print(boxed ? "} else {" : "}")
            if boxed { p.print("    \(target) = Boxed(nil)", "}") }
        case .optional:
            p.printBlock("if c.pointee.\(field.cHas) != 0", "\(target) = \(swiftValue(of: field, source))")
        case .repeated:
            p.print("\(target) = Lift.\(arrayReader(of: field))(\(source), c.pointee.\(field.cCount))")
        case .map:
            guard let entry = field.messageType.mapKeyAndValue else { return }
            let key = swiftValue(of: entry.key, "$0.pointee.key")
            let value = swiftValue(of: entry.value, "$0.pointee.value")
            p.print("\(target) = Lift.dictionary(\(source), c.pointee.\(field.cCount)) {")
            p.print("    (\(key), \(value))", "}")
        case .oneofMember:
            break
        }
    }

    private func printCopying(_ oneof: OneofDescriptor, _ p: inout CodePrinter) {
        p.print("switch c.pointee.\(oneof.cCase).rawValue {")
        for field in oneof.fields {
            let value = swiftValue(of: field, "c.pointee.\(field.cName)")
            p.print("case \(field.number): self.\(oneof.swiftName) = .\(escaped(field.swiftName))(\(value))")
        }
        p.print("default: self.\(oneof.swiftName) = nil", "}")
    }

    private func swiftValue(of field: FieldDescriptor, _ source: String) -> String {
        switch field.type {
        case .bool: "\(source) != 0"
        case .string: "Lift.text(\(source))"
        case .bytes: "Lift.bytes(\(source))"
        case .enum: "\(printer.elementType(of: field))(rawValue: Lift.raw(\(source).rawValue))"
        case .message: "\(printer.elementType(of: field))(copying: \(source))"
        default: source
        }
    }

    private func arrayReader(of field: FieldDescriptor) -> String {
        switch field.type {
        case .bool: "bools"
        case .string: "texts"
        case .bytes: "byteArrays"
        case .enum: "enums"
        case .message: "messages"
        default: "scalars"
        }
    }

    // MARK: to C

    func printLowering(_ p: inout CodePrinter) {
        p.print("func lower(into arena: Arena) -> UnsafeMutablePointer<CStruct> {")
        p.withIndentation { p in
            p.print("let c: UnsafeMutablePointer<CStruct> = arena.make(\(cLowerName(message.fullName))__type())")
            for member in printer.members(of: message) {
                switch member {
                case .field(let field): printLowering(field, &p)
                case .oneof(let oneof): printLowering(oneof, &p)
                }
            }
            p.print("if !self.unknownFields.isEmpty { arena.keep(self.unknownFields, in: c) }")
            p.print("return c")
        }
        p.print("}")
    }

    private func printLowering(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        let source = "self.\(field.swiftName)"
        let target = "c.pointee.\(field.cName)"
        switch model.cardinality(of: field) {
        case .required, .implicit:
            p.print("\(target) = \(cValue(of: field, source))")
        case .optional where field.type == .message:
            p.printBlock("if let value = \(source)", "\(target) = value.lower(into: arena)")
        case .optional:
            p.print("if let value = \(source) {", "    c.pointee.\(field.cHas) = 1")
            p.print("    \(target) = \(cValue(of: field, "value"))", "}")
        case .repeated:
            p.print("if !\(source).isEmpty {", "    c.pointee.\(field.cCount) = \(source).count")
            p.print("    \(target) = arena.\(arrayReader(of: field))(\(source))", "}")
        case .map:
            guard let entry = field.messageType.mapKeyAndValue else { return }
            let entryType = cTypeName(field.messageType.fullName)
            p.print("if !\(source).isEmpty {", "    c.pointee.\(field.cCount) = \(source).count")
            p.print("    let type: UnsafePointer<cp_message> = \(cLowerName(field.messageType.fullName))__type()")
            p.print("    \(target) = arena.entries(\(source), type) {")
            p.print("        (entry: UnsafeMutablePointer<\(entryType)>, key, value) in")
            p.print("        entry.pointee.key = \(cValue(of: entry.key, "key"))")
            p.print("        entry.pointee.value = \(cValue(of: entry.value, "value"))", "    }", "}")
        case .oneofMember:
            break
        }
    }

    private func printLowering(_ oneof: OneofDescriptor, _ p: inout CodePrinter) {
        p.print("switch self.\(oneof.swiftName) {")
        for field in oneof.fields {
            p.print("case .\(escaped(field.swiftName))(let value):")
            p.print("    c.pointee.\(oneof.cCase) = \(oneof.cCaseType)(rawValue: \(field.number))")
            p.print("    c.pointee.\(field.cName) = \(cValue(of: field, "value"))")
        }
        p.print("case nil: break", "}")
    }

    private func cValue(of field: FieldDescriptor, _ source: String) -> String {
        switch field.type {
        case .bool: "\(source) ? 1 : 0"
        case .string: "arena.text(\(source))"
        case .bytes: "arena.bytes(\(source))"
        case .enum: "\(cTypeName(field.enumType.fullName))(rawValue: UInt32(bitPattern: \(source).rawValue))"
        case .message: "\(source).lower(into: arena)"
        default: source
        }
    }
}
