// SPDX-License-Identifier: Apache-2.0

/// One name of a root file system that is being imported.
struct LayerEntry {
    enum Kind: Equatable {
        case file(size: UInt64)
        case directory
        /// The link's text, byte for byte.
        case symbolicLink([UInt8])
        /// Another name for a file that came earlier.
        case hardLink([UInt8])
        case fifo
        /// Major and minor number; `isBlock` for a block device.
        case device(isBlock: Bool, major: UInt32, minor: UInt32)
        case socket
    }

    /// As the source names it; not checked yet.
    var path: [UInt8]
    var kind: Kind
    var permissions: UInt32
    var userID: Int64
    var groupID: Int64
    var modifiedSeconds: Int64
    var modifiedNanoseconds: Int64
    var attributes: [ExtendedAttribute] = []

    /// The name for messages.
    var text: String { String(decoding: path, as: UTF8.self) }
}

/// An extended attribute (xattr(7)).
struct ExtendedAttribute: Hashable {
    var name: String
    var value: [UInt8]

    /// What an image may bring: attributes of users, and the capabilities of a program. The others configure the host:
    /// `trusted.overlay.*` would steer overlayfs itself, `security.selinux` and its kin belong to the host's policy.
    static func isAllowed(_ name: String) -> Bool {
        name == "security.capability" || (name.hasPrefix("user.") && !name.hasPrefix("user.overlay."))
    }
}

/// Where the entries of a layer come from. Used by one thread.
protocol LayerSource: AnyObject {
    /// The next entry; what is left of the current one's content is passed over.
    func next() throws -> LayerEntry?

    /// The next piece of the current file's content and its offset; what lies between pieces is zero. The bytes are
    /// valid until the next call.
    func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)?

    /// Reads what is left and names the content; `size` is the number of bytes that the digest covers. After the last
    /// entry only.
    func finish() throws -> (digest: Digest, size: UInt64)

    /// Bytes of the source that are read, and how many there are (0: not known).
    var position: (done: UInt64, total: UInt64) { get }
}
