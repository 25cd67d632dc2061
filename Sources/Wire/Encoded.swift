// SPDX-License-Identifier: Apache-2.0

/// The encoding of a message that was checked to be one, for whoever passes it on as it is: decoding it cannot fail but
/// for memory, and nothing is lost or reordered on the way.
public struct Encoded<M: Message>: Sendable, Hashable {
    /// As they came.
    public let bytes: [UInt8]

    /// Checks the bytes without making a value of them. `memoryLimit` as for decoding; throws what decoding would.
    @_semantics("optimize.sil.specialize.generic.never")
    public init(checking bytes: [UInt8], memoryLimit: Int = defaultMemoryLimit) throws(WireError) {
        let table = M.schema.table
        try bytes.withUnsafeBufferPointer { bytes throws(WireError) in
            let codec = Codec(memoryLimit: min(memoryLimit, memoryBound(bytes.count)))
            _ = try codec.decode(table, UnsafeRawBufferPointer(bytes))
        }
        self.bytes = bytes
    }

    /// Throws what encoding throws.
    public init(_ message: M) throws(WireError) {
        bytes = try message.encoded()
    }

    /// The value. Throws `memoryLimit` only.
    public func decoded(memoryLimit: Int = defaultMemoryLimit) throws(WireError) -> M {
        try M(decoding: bytes, memoryLimit: memoryLimit)
    }
}

extension Encoded: CustomStringConvertible {
    public var description: String { "\(M.fullName), \(bytes.count) bytes" }
}
