// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Prints what the codec needs of a message: how it is with nothing set, and a walk over its fields.
struct ConversionPrinter {
    let printer: ValuePrinter
    let message: Descriptor

    private var model: Model { printer.model }

    /// One assignment for each property without an initial value of its own.
    func printUnset(_ p: inout CodePrinter) {
        p.print("@inline(never)", "public init(_ unset: UnsetFields) {")
        p.withIndentation { p in
            for member in printer.members(of: message) {
                if printer.boxedType(member) != nil {
                    p.print("self.\(member.swiftName)Box = Boxed()")
                } else {
                    p.print("self.\(member.swiftName) = \(printer.unsetValue(member))")
                }
            }
        }
        p.print("}")
    }

    /// From the highest number to the lowest. Fields are called by their place in the order of the numbers, as in
    /// protobuf-c's descriptors.
    func printWalk(_ p: inout CodePrinter) {
        p.print("@inline(never)", "public mutating func walk(_ w: inout FieldWalk) {")
        p.withIndentation { p in
            p.print("w.unknown(&unknownFields)")
            let fields = message.fields.sorted { $0.number < $1.number }
            for (index, field) in fields.enumerated().reversed() { printStep(field, index, &p) }
        }
        p.print("}")
    }

    private func printStep(_ field: FieldDescriptor, _ index: Int, _ p: inout CodePrinter) {
        let name = escaped(field.swiftName)
        switch model.cardinality(of: field) {
        case .required, .implicit:
            if printer.boxedType(.field(field)) != nil {
                p.print("w.boxed(\(index), &\(field.swiftName)Box)")
            } else {
                p.print("w.\(single(field))(\(index), &\(name))")
            }
        case .optional:
            if printer.boxedType(.field(field)) != nil {
                p.print("w.boxed(\(index), &\(field.swiftName)Box)")
            } else {
                p.print("w.\(optional(field))(\(index), &\(name))")
            }
        case .repeated: p.print("w.\(repeated(field))(\(index), &\(name))")
        case .map: p.print("w.map(\(index), &\(name))")
        case .oneofMember: printMember(field, index, name, &p)
        }
    }

    private func printMember(_ field: FieldDescriptor, _ index: Int, _ name: String, _ p: inout CodePrinter) {
        guard let oneof = field.realContainingOneof else { return }
        let property = escaped(oneof.swiftName)
        let step = "    w.\(single(field))(\(index), &value)"
        p.print("if case .\(name)(var value)? = \(property) {")
        p.print("    let isChosen = w.chose(\(index))")
        // Out of the enum while it is changed, so that nothing else refers to it.
        p.print("    if isChosen { \(property) = nil }", step)
        p.print("    if isChosen { \(property) = .\(name)(value) }")
        p.print("} else if w.chose(\(index)) {")
        p.print("    var value = \(printer.unsetElement(field))", step)
        p.print("    \(property) = .\(name)(value)", "}")
    }

    private func single(_ field: FieldDescriptor) -> String {
        switch field.type {
        case .string: "text"
        case .bytes: "bytes"
        case .enum: "`enum`"
        case .message: "message"
        default: "number"
        }
    }

    private func optional(_ field: FieldDescriptor) -> String {
        switch field.type {
        case .string: "text"
        case .bytes: "bytes"
        case .message: "message"
        default: "optional"
        }
    }

    private func repeated(_ field: FieldDescriptor) -> String {
        switch field.type {
        case .string: "texts"
        case .bytes: "byteArrays"
        case .enum: "enums"
        case .message: "messages"
        default: "numbers"
        }
    }
}
