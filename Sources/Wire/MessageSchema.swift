// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// What the codec must know of a message type. Only generated code makes one, and only this module looks inside.
public struct MessageSchema: Sendable {
    /// The table that the decoder in C, JSON and the text format work by.
    nonisolated(unsafe) let table: UnsafePointer<cp_message>
    /// Where the fields are in a value. Never freed.
    nonisolated(unsafe) let layout: UnsafePointer<Layout>

    @_semantics("optimize.sil.specialize.generic.never")
    init<M: Message>(_ table: UnsafePointer<cp_message>, _ type: M.Type) {
        self.table = table
        let value = UnsafeMutablePointer<M>.allocate(capacity: 1)
        value.initialize(to: M(UnsetFields()))
        layout = Layout.make(table, type, UnsafeMutableRawPointer(value), MemoryLayout<M>.size) {
            value.pointee.walk(&$0)
        }
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// In the order of their numbers; a walk calls them by their place in here.
    var fields: UnsafePointer<ProtobufCFieldDescriptor>? { table.pointee.descriptor.pointee.fields }
}

/// Asks for a message with nothing set, not even what is required. Only the codec has one.
public struct UnsetFields {
    init() {}
}
