// SPDX-License-Identifier: Apache-2.0

/// Bytes that wait to be sent, in blocks; none are held while nothing waits.
struct OutputQueue: ~Copyable {
    private struct Block {
        var memory: UnsafeMutableRawBufferPointer
        var start = 0
        var end = 0

        var room: Int { memory.count - end }
    }

    private static let blockSize = 32 << 10

    private var blocks: [Block] = []
    /// The first block that has not been sent.
    private var head = 0
    /// Bytes that wait.
    private(set) var count = 0

    init() {}

    deinit {
        for block in blocks[head...] { block.memory.deallocate() }
    }

    var isEmpty: Bool { count == 0 }

    /// Room for `size` bytes at the end of the queue, in one piece. All of it must be written before the queue is used
    /// again.
    mutating func append(_ size: Int) -> UnsafeMutableRawPointer? {
        if blocks.isEmpty || blocks[blocks.count - 1].room < size {
            blocks.append(Block(memory: .allocate(byteCount: max(size, Self.blockSize), alignment: 16)))
        }
        let last = blocks.count - 1
        let place = blocks[last].end
        blocks[last].end += size
        count += size
        return blocks[last].memory.baseAddress?.advanced(by: place)
    }

    /// The first pieces that wait: as many as one system call should take.
    func pieces(limit: Int = 64) -> [UnsafeRawBufferPointer] {
        blocks[head...].prefix(limit).map { UnsafeRawBufferPointer(rebasing: $0.memory[$0.start..<$0.end]) }
    }

    /// The first `size` bytes have been sent.
    mutating func consume(_ size: Int) {
        var left = size
        count -= size
        while head < blocks.count {
            let length = blocks[head].end - blocks[head].start
            if left < length {
                blocks[head].start += left
                return compact()
            }
            left -= length
            blocks[head].memory.deallocate()
            head += 1
        }
        blocks.removeAll(keepingCapacity: blocks.count < 8)
        head = 0
    }

    /// A queue that never runs empty must forget its sent blocks too.
    private mutating func compact() {
        guard head > 32, head > blocks.count / 2 else { return }
        blocks.removeFirst(head)
        head = 0
    }

    /// Drops all that waits.
    mutating func removeAll() {
        consume(count)
    }
}
