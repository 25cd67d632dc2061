// SPDX-License-Identifier: Apache-2.0

// adapt-for-c IN OUT: copies a FileDescriptorSet for protoc-c. Every string field is marked with
// `pb_c_field.string_as_bytes`, so that each string gets a length; the option stays out of the .proto files, because it
// matters to this project's decoder and to nobody who only reads the files. `deprecated` is taken out: protoc-c would
// turn it into an attribute, and the codec, which uses all fields alike, into a heap of warnings. `optional` of proto3,
// which protoc-c refuses, becomes what it is under the hood: a oneof with one member. And what is packed because proto3
// packs it is marked as packed, because protoc-c 1.4 does not know that.

import Foundation
import SwiftProtobuf

/// `pb_c_field` (1019, length-delimited) holding `string_as_bytes` (1, varint) = true, on the wire.
let stringAsBytes: [UInt8] = [0xDA, 0x3F, 0x02, 0x08, 0x01]

let isPackable: Set<Google_Protobuf_FieldDescriptorProto.TypeEnum> = [
    .int32, .int64, .uint32, .uint64, .sint32, .sint64, .fixed32, .fixed64, .sfixed32, .sfixed64, .bool, .enum, .float,
    .double,
]

func adapt(_ field: inout Google_Protobuf_FieldDescriptorProto, isProto3: Bool) throws {
    if field.options.deprecated { field.options.clearDeprecated() }
    field.clearProto3Optional()
    if isProto3, field.label == .repeated, isPackable.contains(field.type), !field.options.hasPacked {
        field.options.packed = true
    }
    guard field.type == .string else { return }
    let options: [UInt8] = try field.options.serializedBytes()
    field.options = try Google_Protobuf_FieldOptions(serializedBytes: options + stringAsBytes)
    // protoc-c cannot write the default of such a field. The decoder does not need it: an absent string is told by its
    // has_ flag, and the default is in the Swift values.
    field.clearDefaultValue()
}

func adapt(_ type: inout Google_Protobuf_EnumDescriptorProto) {
    for index in type.value.indices where type.value[index].options.deprecated {
        type.value[index].options.clearDeprecated()
    }
}

func adapt(_ message: inout Google_Protobuf_DescriptorProto, isProto3: Bool) throws {
    for index in message.field.indices {
        try adapt(&message.field[index], isProto3: isProto3)
    }
    for index in message.enumType.indices {
        adapt(&message.enumType[index])
    }
    for index in message.nestedType.indices {
        try adapt(&message.nestedType[index], isProto3: isProto3)
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    FileHandle.standardError.write(Data("usage: adapt-for-c IN OUT\n".utf8))
    exit(64)
}
let input = try Data(contentsOf: URL(fileURLWithPath: arguments[1]))
var set = try Google_Protobuf_FileDescriptorSet(serializedBytes: input)
for file in set.file.indices {
    for index in set.file[file].enumType.indices {
        adapt(&set.file[file].enumType[index])
    }
    for message in set.file[file].messageType.indices {
        try adapt(&set.file[file].messageType[message], isProto3: set.file[file].syntax == "proto3")
    }
}
let output: Data = try set.serializedBytes()
try output.write(to: URL(fileURLWithPath: arguments[2]))
