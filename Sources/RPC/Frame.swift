// SPDX-License-Identifier: Apache-2.0

/// What a frame carries. Open: frames of other types are skipped.
struct FrameType: RawRepresentable, Hashable {
    var rawValue: UInt8

    static let request = FrameType(rawValue: 0x01)
    static let response = FrameType(rawValue: 0x02)
    static let data = FrameType(rawValue: 0x03)
    /// Ours, not ttrpc's: the client has given up a stream, and no answer to it is wanted. Other servers skip it, as
    /// they do every type that they do not know.
    static let cancel = FrameType(rawValue: 0xc0)
}

struct FrameFlags: OptionSet, Hashable {
    var rawValue: UInt8

    /// The sender will send nothing more on this stream.
    static let remoteClosed = FrameFlags(rawValue: 0x01)
    /// The sender of a request will send data frames on this stream.
    static let remoteOpen = FrameFlags(rawValue: 0x02)
    /// A data frame without a message, as opposed to one with an empty message.
    static let noData = FrameFlags(rawValue: 0x04)

    /// Ours, not ttrpc's, between two sides that have agreed to it: how many descriptors came with the frame's first
    /// byte, in the upper half.
    var descriptorCount: Int { Int(rawValue >> 4) }

    func with(descriptors count: Int) -> FrameFlags {
        FrameFlags(rawValue: rawValue & 0x0f | UInt8(truncatingIfNeeded: count << 4))
    }
}

/// The ten bytes in front of every frame: length and stream id, big-endian, then type and flags.
struct FrameHeader: Hashable {
    static let size = 10
    /// The largest length of a frame's data, inclusive.
    static let maximumLength = 4 << 20

    var length: UInt32
    var streamID: UInt32
    var type: FrameType
    var flags: FrameFlags

    init(length: Int, streamID: UInt32, type: FrameType, flags: FrameFlags = []) {
        self.length = UInt32(truncatingIfNeeded: length)
        self.streamID = streamID
        self.type = type
        self.flags = flags
    }

    /// From at least ten bytes.
    init(_ bytes: UnsafeRawBufferPointer) {
        length = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        streamID = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        type = FrameType(rawValue: bytes[8])
        flags = FrameFlags(rawValue: bytes[9])
    }

    /// To at least ten bytes.
    func write(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: length.bigEndian, as: UInt32.self)
        target.storeBytes(of: streamID.bigEndian, toByteOffset: 4, as: UInt32.self)
        target.storeBytes(of: type.rawValue, toByteOffset: 8, as: UInt8.self)
        target.storeBytes(of: flags.rawValue, toByteOffset: 9, as: UInt8.self)
    }

    var isOversized: Bool { length > UInt32(Self.maximumLength) }
}
