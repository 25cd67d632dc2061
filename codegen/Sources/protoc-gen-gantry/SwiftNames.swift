// SPDX-License-Identifier: Apache-2.0
import SwiftProtobufPluginLibrary

/// Words that are written in capitals unless they come first: `container_id` -> `containerID`, `tty_info` -> `ttyInfo`.
private let capitals = [
    "id": "ID", "ids": "IDs", "url": "URL", "urls": "URLs", "uri": "URI", "uris": "URIs", "ip": "IP", "ips": "IPs",
    "tty": "TTY", "json": "JSON",
]

/// Splits at underscores and where an upper-case letter follows a lower-case one or ends a run of capitals.
func words(of name: String) -> [String] {
    var result: [String] = []
    for part in name.split(separator: "_") {
        if part.hasPrefix("IPv") {
            result.append(part.lowercased())
            continue
        }
        let letters = Array(part)
        var word = ""
        for (index, letter) in letters.enumerated() {
            let follows = index > 0 && letter.isUppercase && !letters[index - 1].isUppercase
            let ends =
                index > 0 && index + 1 < letters.count && letter.isUppercase
                && letters[index - 1].isUppercase && letters[index + 1].isLowercase
            if follows || ends {
                result.append(word.lowercased())
                word = ""
            }
            word.append(letter)
        }
        result.append(word.lowercased())
    }
    return result
}

func lowerCamel(_ name: String) -> String {
    let words = words(of: name)
    var result = words.first ?? ""
    for word in words.dropFirst() {
        // Two numbers that meet stay apart: `v1_2`.
        if let last = result.last, let first = word.first, last.isNumber, first.isNumber { result += "_" }
        result += capitals[word] ?? word.prefix(1).uppercased() + word.dropFirst()
    }
    return result
}

/// For packages and oneofs: `resource_provider` -> `ResourceProvider`, `v2_2` -> `V2_2`.
func upperCamel(_ name: String) -> String {
    let camel = lowerCamel(name)
    return camel.prefix(1).uppercased() + camel.dropFirst()
}

private let swiftKeywords: Set<String> = [
    "as", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum",
    "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init",
    "inout", "internal", "is", "let", "nil", "operator", "private", "protocol", "public", "repeat", "rethrows",
    "return", "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
    "typealias", "var", "where", "while",
]

func escaped(_ name: String) -> String {
    swiftKeywords.contains(name) ? "`\(name)`" : name
}

/// Names that cannot be those of a nested type.
func typeName(_ name: String, isEnum: Bool) -> String {
    switch name {
    case "Type", "Protocol": name + (isEnum ? "Enum" : "Message")
    case "Any", "Self": name + "Message"
    default: name
    }
}

func swiftFileName(of file: FileDescriptor) -> String {
    let path = file.name.dropLast(".proto".count)
    return path.split(separator: "/").map { upperCamel(String($0)) }.joined() + ".swift"
}

func namespace(_ package: String) -> [String] {
    package.split(separator: ".").map { upperCamel(String($0)) }
}

extension FieldDescriptor {
    /// Without backticks.
    var swiftName: String { lowerCamel(name) }
}

extension OneofDescriptor {
    var swiftName: String { lowerCamel(name) }
    var swiftTypeName: String { name == "type" ? "TypeOneof" : upperCamel(name) }
}

extension EnumDescriptor {
    /// The name of each value: in lowerCamel, without the enum's own name if all values begin with it.
    var swiftValueNames: [String] {
        let prefix = words(of: name).joined(separator: "_").uppercased() + "_"
        let strip = values.allSatisfy { $0.name.hasPrefix(prefix) && $0.name.count > prefix.count }
        return values.map { lowerCamel(strip ? String($0.name.dropFirst(prefix.count)) : $0.name) }
    }
}
