// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// `emit=readers`: for the benchmark, a function for each message that reads every field of it, in the words of one of
/// the contestants. All of them give the same number for the same message: the sum of all numbers, of the first bytes
/// of all strings, and of the fields that are there.
struct ReaderPrinter {
    enum Contestant: String {
        case gantry, swift, c, cpp

        var isSwift: Bool { self == .gantry || self == .swift }
        var suffix: String { isSwift ? "swift" : "inc" }
    }

    let contestant: Contestant
    let model: Model
    let namer = SwiftProtobufNamer()

    func source(_ files: [FileDescriptor]) -> String {
        var p = newPrinter()
        for line in banner("proto") { p.print(line) }
        switch contestant {
        case .gantry: p.print("import Wire")
        case .swift: p.print("import Foundation", "import SwiftProtobuf")
        case .c: for file in files { p.print("#include \"\(file.name.dropLast(6)).pb-c.h\"") }
        case .cpp: for file in files { p.print("#include \"\(file.name.dropLast(6)).pb.h\"") }
        }
        let messages = files.flatMap { $0.everyMessage(mapEntries: contestant == .c) }
        p.print()
        if !contestant.isSwift {
            for message in messages { p.print(head(message) + ";") }
        }
        for message in messages { printReader(message, &p) }
        return p.content
    }

    private func head(_ message: Descriptor) -> String {
        switch contestant {
        case .gantry: "func read(_ m: \(model.swiftName(of: message))) -> UInt64"
        case .swift: "func read(_ m: \(namer.fullName(message: message))) -> UInt64"
        case .c: "static uint64_t read_\(cLowerName(message.fullName))(const \(cTypeName(message.fullName)) *m)"
        case .cpp: "static uint64_t read(const \(cppName(message)) &m)"
        }
    }

    private func printReader(_ message: Descriptor, _ p: inout CodePrinter) {
        p.print("", head(message) + " {")
        p.withIndentation { p in
            p.print(contestant.isSwift ? "var sum: UInt64 = 0" : "uint64_t sum = 0;")
            for field in message.fields { printField(field, &p) }
            p.print(contestant.isSwift ? "return sum" : "return sum;")
        }
        p.print("}")
    }

    private func printField(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        switch contestant {
        case .gantry: printGantry(field, &p)
        case .swift: printSwift(field, &p)
        case .c: printC(field, &p)
        case .cpp: printCpp(field, &p)
        }
    }

    // MARK: Swift

    private func swiftValue(_ field: FieldDescriptor, _ value: String) -> String {
        switch field.type {
        case .bool: "(\(value) ? 1 : 0)"
        case .string: "UInt64(\(value).utf8.first ?? 0)"
        case .bytes: "UInt64(\(value).first ?? 0)"
        case .double: "\(value).bitPattern"
        case .enum: "UInt64(truncatingIfNeeded: \(value).rawValue)"
        case .message: "read(\(value))"
        default: "UInt64(truncatingIfNeeded: \(value))"
        }
    }

    private func printEntries(_ field: FieldDescriptor, _ member: String, _ p: inout CodePrinter) {
        guard let entry = field.messageType.mapKeyAndValue else { return }
        let sum = "\(swiftValue(entry.key, "k")) &+ \(swiftValue(entry.value, "v"))"
        p.print("for (k, v) in \(member) { sum = sum &+ 1 &+ \(sum) }")
    }

    /// By a span, which lends each element; a loop over the array would copy them.
    private func printElements(_ field: FieldDescriptor, _ member: String, _ p: inout CodePrinter) {
        p.print("do {")
        if contestant == .gantry {
            p.print("    let span = \(member).span")
        } else {
            // A property that is computed cannot lend anything.
            p.print("    let array = \(member)", "    let span = array.span")
        }
        p.print("    for i in span.indices { sum = sum &+ 1 &+ \(swiftValue(field, "span[i]")) }", "}")
    }

    private func printGantry(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        let member = "m.\(escaped(field.swiftName))"
        switch model.cardinality(of: field) {
        case .required, .implicit: p.print("sum = sum &+ 1 &+ \(swiftValue(field, member))")
        case .optional: p.print("if let v = \(member) { sum = sum &+ 1 &+ \(swiftValue(field, "v")) }")
        case .repeated: printElements(field, member, &p)
        case .map: printEntries(field, member, &p)
        case .oneofMember:
            let oneof = "m.\(field.realContainingOneof?.swiftName ?? "")"
            let value = "case .\(escaped(field.swiftName))(let v)? = \(oneof)"
            p.print("if \(value) { sum = sum &+ 1 &+ \(swiftValue(field, "v")) }")
        }
    }

    private func printSwift(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        let names = namer.messagePropertyNames(field: field, prefixed: "", includeHasAndClear: true)
        let member = "m.\(names.name)"
        switch model.cardinality(of: field) {
        case .required, .implicit:
            p.print("sum = sum &+ 1 &+ \(swiftValue(field, member))")
        case .repeated: printElements(field, member, &p)
        case .map: printEntries(field, member, &p)
        case .oneofMember:
            let oneof = field.realContainingOneof.map { namer.messagePropertyName(oneof: $0).name } ?? ""
            let value = "case .\(names.name)(let v)? = m.\(oneof)"
            p.print("if \(value) { sum = sum &+ 1 &+ \(swiftValue(field, "v")) }")
        default: p.print("if m.\(names.has) { sum = sum &+ 1 &+ \(swiftValue(field, member)) }")
        }
    }

    // MARK: C

    private func cValue(_ field: FieldDescriptor, _ value: String) -> String {
        switch field.type {
        case .bool: "(\(value) ? 1 : 0)"
        case .string: "(uint8_t)\(value)[0]"
        case .bytes: "(\(value).len != 0 ? \(value).data[0] : 0)"
        case .double: "double_bits(\(value))"
        case .enum: "(uint64_t)(int32_t)\(value)"
        case .message: "read_\(cLowerName(field.messageType.fullName))(\(value))"
        default: "(uint64_t)\(value)"
        }
    }

    private func printC(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        let member = "m->\(field.cName)"
        let isPointer = field.type == .message || field.type == .string
        switch model.cardinality(of: field) {
        case .repeated, .map:
            p.print("for (size_t i = 0; i < m->\(field.cCount); i++)")
            p.print("    sum += 1 + \(cValue(field, "\(member)[i]"));")
        case .optional:
            // The entries of maps count as one field, not as three.
            let one = field.containingType.options.mapEntry ? "" : "1 + "
            var isThere = isPointer ? "\(member) != NULL" : "m->\(field.cHas)"
            if field.type == .string, field.defaultValue != nil {
                // An absent string points to its default.
                let type = cLowerName(field.containingType.fullName)
                isThere = "\(member) != \(type)__\(field.name.lowercased())__default_value"
            }
            p.print("if (\(isThere))", "    sum += \(one)\(cValue(field, member));")
        case .oneofMember:
            let oneof = field.realContainingOneof?.cCase ?? ""
            p.print("if (m->\(oneof) == \(field.number))", "    sum += 1 + \(cValue(field, member));")
        default:
            let one = field.containingType.options.mapEntry ? "" : "1 + "
            p.print("sum += \(one)\(cValue(field, member));")
        }
    }

    // MARK: C++

    private func cppName(_ message: Descriptor) -> String {
        var names = [message.name]
        var outer = message.containingType
        while let type = outer {
            names.insert(type.name, at: 0)
            outer = type.containingType
        }
        return "::" + message.file.package.split(separator: ".").joined(separator: "::") + "::"
            + names.joined(separator: "_")
    }

    private func cppValue(_ field: FieldDescriptor, _ value: String) -> String {
        switch field.type {
        case .bool: "(\(value) ? 1 : 0)"
        case .string, .bytes: "(uint8_t)\(value).c_str()[0]"
        case .double: "double_bits(\(value))"
        case .enum: "(uint64_t)(int32_t)\(value)"
        case .message: "read(\(value))"
        default: "(uint64_t)\(value)"
        }
    }

    private func printCpp(_ field: FieldDescriptor, _ p: inout CodePrinter) {
        let name = cFieldName(field)
        switch model.cardinality(of: field) {
        case .repeated: p.print("for (const auto &v : m.\(name)())", "    sum += 1 + \(cppValue(field, "v"));")
        case .map:
            guard let entry = field.messageType.mapKeyAndValue else { return }
            p.print("for (const auto &v : m.\(name)())")
            p.print("    sum += 1 + \(cppValue(entry.key, "v.first")) + \(cppValue(entry.value, "v.second"));")
        case .required, .implicit: p.print("sum += 1 + \(cppValue(field, "m.\(name)()"));")
        default: p.print("if (m.has_\(field.name.lowercased())())", "    sum += 1 + \(cppValue(field, "m.\(name)()"));")
        }
    }
}
