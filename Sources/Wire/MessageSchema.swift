// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// What the codec must know of a message type. Only generated code makes one, and only this module looks inside.
///
/// C structs live in an arena and never leave the codec.
public struct MessageSchema<Value> {
    /// The table that the decoder, the encoder and JSON work by.
    let table: UnsafePointer<cp_message>
    /// A value from a C struct of the table's type.
    let copy: (UnsafeRawPointer) -> Value
    /// A C struct of the table's type, in the arena.
    let lower: (Value, Arena) -> UnsafeMutableRawPointer
}
