// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
import SwiftProtobufPluginLibrary

// The names that protoc-c 1.4 gives. They are not documented; a wrong guess does not compile.

/// `mesos.Value.Scalar` -> `Mesos__Value__Scalar`
func cTypeName(_ fullName: String) -> String {
    components(fullName).map(upperCamelInC).joined(separator: "__")
}

/// `mesos.ContainerID` -> `mesos__container_id`
func cLowerName(_ fullName: String) -> String {
    components(fullName).map(lowerInC).joined(separator: "__")
}

/// `mesos.ContainerID` -> `MESOS__CONTAINER_ID`
func cUpperName(_ fullName: String) -> String {
    cLowerName(fullName).uppercased()
}

func cFieldName(_ field: FieldDescriptor) -> String {
    let name = field.name.lowercased()
    return cKeywords.contains(name) ? name + "_" : name
}

/// The parts of a name in C that a field has.
extension FieldDescriptor {
    var cName: String { cFieldName(self) }
    var cHas: String { "has_" + name.lowercased() }
    var cCount: String { "n_" + name.lowercased() }
}

extension OneofDescriptor {
    var cCase: String { name.lowercased() + "_case" }
    var cCaseType: String { cTypeName(containingType.fullName) + "__" + upperCamelInC(Substring(name)) + "Case" }
}

private func components(_ fullName: String) -> [Substring] {
    fullName.split(separator: ".")
}

private func upperCamelInC(_ name: Substring) -> String {
    var result = ""
    var upper = true
    for character in name {
        if character == "_" {
            upper = true
        } else {
            result += upper ? character.uppercased() : String(character)
            upper = false
        }
    }
    return result
}

/// An underscore goes before each upper-case letter that follows a lower-case one.
private func lowerInC(_ name: Substring) -> String {
    var result = ""
    var wasUpper = true
    for character in name {
        if character.isUppercase {
            if !wasUpper { result += "_" }
            result += character.lowercased()
        } else {
            result.append(character)
        }
        wasUpper = character.isUppercase
    }
    return result
}

private let cKeywords: Set<String> = [
    "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "class", "compl",
    "const", "const_cast", "continue", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
    "explicit", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
    "namespace", "new", "not", "not_eq", "operator", "or", "or_eq", "private", "protected", "public", "register",
    "reinterpret_cast", "return", "short", "signed", "sizeof", "static", "static_cast", "struct", "switch",
    "template", "this", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using",
    "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
]
