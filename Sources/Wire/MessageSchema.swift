// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// What the codec must know of a message type beside its fields. Only generated code makes one, and only this module
/// looks inside.
public struct MessageSchema {
    /// The table that the decoder and JSON work by.
    let table: UnsafePointer<cp_message>

    /// In the order of their numbers; a walk calls them by their place in here.
    var fields: UnsafePointer<ProtobufCFieldDescriptor>? { table.pointee.descriptor.pointee.fields }
}

/// Asks for a message with nothing set, not even what is required. Only the codec has one.
public struct UnsetFields {
    init() {}
}
