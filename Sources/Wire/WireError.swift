// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// A message that cannot be decoded or encoded.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// The input ends inside a field, or a length runs past the end of what contains it.
        case truncated
        /// A varint of more than ten bytes, a tag or a length of more than five, a length of 2 GiB or more.
        case malformedVarint
        /// Field number 0.
        case malformedTag
        /// Wire type 6 or 7.
        case unknownWireType
        /// A group's end without its start.
        case malformedGroup
        /// More than 100 levels of messages.
        case tooDeep
        /// A string that is not UTF-8.
        case invalidUTF8
        /// A required field is absent.
        case missingRequired
        /// The decoded message would need more memory than its caller allows.
        case memoryLimit
        /// 2 GiB or more.
        case tooLarge
        /// Text that is not JSON.
        case malformedJSON
        /// A member that the message does not have, or has twice.
        case unknownMember
        /// A JSON value of another kind than the field needs, or out of its range.
        case unsuitableValue
    }

    public var code: Code
    /// Bytes from the start of the input (binary or JSON text) to what is wrong; nil when encoding.
    public var offset: Int?
    /// Full name of the message that was to be decoded or encoded.
    public var messageName: String
    /// From that message to the field that is wrong: `container_info.volumes[2].mode`; empty for the message itself.
    public var path: String
    /// What was found, if it can be said in a few words.
    public var detail: String

    public init(_ code: Code, offset: Int?, messageName: String, path: String = "", detail: String = "") {
        self.code = code
        self.offset = offset
        self.messageName = messageName
        self.path = path
        self.detail = detail
    }

    public var description: String {
        let place = offset.map { " at byte \($0)" } ?? ""
        let field = path.isEmpty ? messageName : "\(messageName), field \(path)"
        let more = detail.isEmpty ? "" : " (\(detail))"
        return "\(code.text)\(place) of \(field)\(more)"
    }
}

extension WireError.Code {
    /// In words, for people.
    public var text: String {
        switch self {
        case .truncated: "input ends too early"
        case .malformedVarint: "malformed varint"
        case .malformedTag: "field number 0"
        case .unknownWireType: "unknown wire type"
        case .malformedGroup: "malformed group"
        case .tooDeep: "more than 100 levels"
        case .invalidUTF8: "invalid UTF-8"
        case .missingRequired: "missing required field"
        case .memoryLimit: "memory limit reached"
        case .tooLarge: "2 GiB or more"
        case .malformedJSON: "malformed JSON"
        case .unknownMember: "unknown or repeated member"
        case .unsuitableValue: "unsuitable value"
        }
    }

    init(_ code: cp_code) {
        switch code {
        case CP_TRUNCATED: self = .truncated
        case CP_BAD_VARINT: self = .malformedVarint
        case CP_BAD_FIELD_NUMBER: self = .malformedTag
        case CP_BAD_WIRE_TYPE: self = .unknownWireType
        case CP_BAD_GROUP: self = .malformedGroup
        case CP_TOO_DEEP: self = .tooDeep
        case CP_INVALID_UTF8: self = .invalidUTF8
        case CP_MISSING_REQUIRED: self = .missingRequired
        default: self = .memoryLimit
        }
    }
}

extension WireError {
    /// The codec's error; call while its arena lives.
    init(_ error: cp_error, messageName: String, decoding: Bool) {
        let steps = UnsafeBufferPointer(start: error.path, count: error.path_length)
        self.init(
            Code(error.code), offset: decoding ? error.offset : nil, messageName: messageName,
            path: fieldPath(steps.map { ($0.field, $0.index) }))
    }
}

/// `container_info.volumes[2].mode`. An index of SIZE_MAX stands for none.
func fieldPath(_ steps: [(field: UnsafePointer<ProtobufCFieldDescriptor>?, index: Int)]) -> String {
    var path = ""
    for step in steps {
        guard let field = step.field else { continue }
        if !path.isEmpty { path += "." }
        path += String(cString: field.pointee.name)
        if step.index >= 0 { path += "[\(step.index)]" }
    }
    return path
}
