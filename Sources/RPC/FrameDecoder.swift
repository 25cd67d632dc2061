// SPDX-License-Identifier: Apache-2.0

/// Cuts a byte stream into frames.
///
/// Frames that lie whole in the input are handed out where they are. One that the input cuts off moves to a block of
/// exactly its size, which the next read may fill directly. Between frames the decoder holds no memory.
struct FrameDecoder: ~Copyable {
    enum Event {
        /// The data is valid until the decoder is used again.
        case frame(FrameHeader, UnsafeRawBufferPointer)
        /// A frame that is too large. Its data will be skipped.
        case oversized(FrameHeader)
    }

    private enum State {
        case header
        case body(FrameHeader)
        case skipping(left: Int)
    }

    private var state = State.header
    /// The first bytes of a header that was cut off.
    private var head: (UInt64, UInt64) = (0, 0)
    private var headCount = 0
    private var block: UnsafeMutableRawBufferPointer?
    private var blockCount = 0
    /// The block of the frame that was handed out last.
    private var spent: UnsafeMutableRawBufferPointer?
    /// Counts the frames that have been begun, to tell a slow frame from many quick ones.
    private(set) var sequence: UInt64 = 0

    init() {}

    deinit {
        block?.deallocate()
        spent?.deallocate()
    }

    /// Nothing more will be read.
    mutating func dropBlocks() {
        block?.deallocate()
        block = nil
        // One that is being looked at stays until the end.
    }

    /// Whether a frame has been begun and not ended. Then `sequence` is its number.
    var isInsideFrame: Bool {
        if case .header = state { return headCount > 0 }
        return true
    }

    /// Whether the data of a frame that is too large is being thrown away.
    var isSkipping: Bool {
        if case .skipping = state { return true }
        return false
    }

    /// Bytes of memory held for a cut-off frame.
    var heldBytes: Int { block?.count ?? 0 }

    /// The rest of a cut-off frame's block, to read into; empty when there is none.
    var wanted: UnsafeMutableRawBufferPointer {
        guard let block else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return UnsafeMutableRawBufferPointer(rebasing: block[blockCount...])
    }

    /// `count` bytes have been read into `wanted`. Call `next` then, with whatever else was read.
    mutating func filled(_ count: Int) {
        blockCount += count
    }

    /// The next event in `input` from `offset` on, which moves forward over what was used. nil: more input is needed, and
    /// all of this has been used.
    mutating func next(_ input: UnsafeRawBufferPointer, _ offset: inout Int) -> Event? {
        spent?.deallocate()
        spent = nil
        while true {
            switch state {
            case .header:
                guard let header = takeHeader(input, &offset) else { return nil }
                if header.isOversized {
                    state = .skipping(left: Int(header.length))
                    return .oversized(header)
                }
                state = .body(header)
            case .body(let header):
                guard let body = takeBody(Int(header.length), input, &offset) else { return nil }
                state = .header
                return .frame(header, body)
            case .skipping(let left):
                let count = min(left, input.count - offset)
                offset += count
                state = count == left ? .header : .skipping(left: left - count)
                if count < left { return nil }
            }
        }
    }

    private mutating func takeHeader(_ input: UnsafeRawBufferPointer, _ offset: inout Int) -> FrameHeader? {
        let available = input.count - offset
        if available > 0, headCount == 0 { sequence &+= 1 }
        if headCount == 0, available >= FrameHeader.size {
            let header = FrameHeader(UnsafeRawBufferPointer(rebasing: input[offset...]))
            offset += FrameHeader.size
            return header
        }
        let count = min(FrameHeader.size - headCount, available)
        let start = headCount
        withUnsafeMutableBytes(of: &head) { target in
            UnsafeMutableRawBufferPointer(rebasing: target[start..<(start + count)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[offset..<(offset + count)]))
        }
        offset += count
        headCount += count
        guard headCount == FrameHeader.size else { return nil }
        headCount = 0
        return withUnsafeBytes(of: head) { FrameHeader($0) }
    }

    private mutating func takeBody(
        _ length: Int, _ input: UnsafeRawBufferPointer, _ offset: inout Int
    ) -> UnsafeRawBufferPointer? {
        let available = input.count - offset
        if block == nil {
            if available >= length {
                defer { offset += length }
                return UnsafeRawBufferPointer(rebasing: input[offset..<(offset + length)])
            }
            block = .allocate(byteCount: length, alignment: 16)
            blockCount = 0
        }
        guard let block else { return nil }
        let count = min(length - blockCount, available)
        UnsafeMutableRawBufferPointer(rebasing: block[blockCount..<(blockCount + count)])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[offset..<(offset + count)]))
        offset += count
        blockCount += count
        guard blockCount == length else { return nil }
        self.block = nil
        spent = block
        return UnsafeRawBufferPointer(block)
    }
}
