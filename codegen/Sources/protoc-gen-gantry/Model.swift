// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// How a field is held in Swift.
enum Cardinality {
    case required, optional, implicit, repeated, map, oneofMember
}

/// What is known only when all files are: full Swift names, and which messages are too large to be held in place.
struct Model {
    private var nested: Set<String> = []
    private var sizes: [String: Int] = [:]
    private var recursive: Set<String> = []

    /// A message of more bytes than this is held through a box where it is a single field: copies of what contains it
    /// stay cheap, and so does an absent field.
    static let largestInline = 64

    init(_ files: [FileDescriptor]) {
        for file in files {
            nested.formUnion(namespace(file.package).dropFirst())
            for message in file.everyMessage(mapEntries: false) { nested.insert(typeName(message.name, isEnum: false)) }
        }
        for message in files.flatMap({ $0.everyMessage(mapEntries: false) }) where reaches(message, message, []) {
            recursive.insert(message.fullName)
        }
        for message in files.flatMap({ $0.everyMessage(mapEntries: false) }) { _ = size(of: message) }
    }

    /// A name that is right in every scope: with the module in front where an inner type would shadow the package.
    func swiftName(_ components: [String]) -> String {
        let name = components.joined(separator: ".")
        return nested.contains(components[0]) ? "Wire." + name : name
    }

    func swiftName(of message: Descriptor) -> String {
        swiftName(path(of: message))
    }

    func swiftName(of type: EnumDescriptor) -> String {
        let outer = type.containingType.map { path(of: $0) } ?? namespace(type.file.package)
        return swiftName(outer + [typeName(type.name, isEnum: true)])
    }

    func path(of message: Descriptor) -> [String] {
        let outer = message.containingType.map { path(of: $0) } ?? namespace(message.file.package)
        return outer + [typeName(message.name, isEnum: false)]
    }

    func isBoxed(_ message: Descriptor) -> Bool {
        recursive.contains(message.fullName) || sizes[message.fullName, default: 0] > Model.largestInline
    }

    /// A text and perhaps an outer one: such messages are keys of dictionaries. The compiler's comparison of their fields
    /// is quicker than that of their encodings and gives the same; for all messages it would cost too much machine code.
    func isIdentifier(_ message: Descriptor) -> Bool {
        guard let first = message.fields.first, message.name.hasSuffix("ID") else { return false }
        return first.type == .string && first.isRequired && message.fields.count <= 2
    }

    func cardinality(of field: FieldDescriptor) -> Cardinality {
        if field.isMap { return .map }
        if field.isRepeated { return .repeated }
        if field.realContainingOneof != nil { return .oneofMember }
        if field.isRequired { return .required }
        return field.hasPresence ? .optional : .implicit
    }

    /// Does `target` hold itself through single fields?
    private func reaches(_ message: Descriptor, _ target: Descriptor, _ seen: Set<String>) -> Bool {
        for field in message.fields where field.type == .message && !field.isRepeated {
            let next: Descriptor = field.messageType
            if next.fullName == target.fullName { return true }
            if !seen.contains(next.fullName) && reaches(next, target, seen.union([message.fullName])) { return true }
        }
        return false
    }

    /// The bytes of the Swift value, more or less: eight for everything but strings and what is inside.
    private mutating func size(of message: Descriptor) -> Int {
        if let known = sizes[message.fullName] { return known }
        if recursive.contains(message.fullName) {
            sizes[message.fullName] = Model.largestInline + 1
            return Model.largestInline + 1
        }
        var total = 8
        for field in message.fields {
            if field.isRepeated {
                total += 8
            } else if field.type == .message {
                let inner = size(of: field.messageType)
                total += inner > Model.largestInline ? 8 : inner
            } else {
                let wide = field.hasPresence && !field.isRequired && [.int64, .uint64, .double].contains(field.type)
                total += field.type == .string || wide ? 16 : 8
            }
        }
        sizes[message.fullName] = total
        return total
    }
}
