// SPDX-License-Identifier: Apache-2.0
internal import Reactor

/// Bytes that wait to be sent, in blocks; none are held while nothing waits.
struct OutputQueue: ~Copyable {
    private struct Block {
        var memory: UnsafeMutableRawBufferPointer
        var start = 0
        var end = 0
        /// The reactor's own block, which has to be back before others need it.
        var isSpare = false
        /// What goes with its first byte.
        var passed: PassedDescriptors?

        var room: Int { memory.count - end }
    }

    private static let smallestBlock = 2 << 10
    private static let largestBlock = 32 << 10

    private let spare: SpareBlock?
    private var blocks: [Block] = []
    /// The first block that has not been sent.
    private var head = 0
    /// Bytes that wait.
    private(set) var count = 0

    init(spare: SpareBlock? = nil) {
        self.spare = spare
    }

    deinit {
        for block in blocks[head...] { Self.release(block, spare) }
    }

    var isEmpty: Bool { count == 0 }

    private static func release(_ block: Block, _ spare: SpareBlock?) {
        if block.isSpare { spare?.giveBack() } else { block.memory.deallocate() }
    }

    /// Room for `size` bytes at the end of the queue, in one piece. All of it must be written before the queue is used
    /// again.
    mutating func append(_ size: Int, passing passed: PassedDescriptors? = nil) -> UnsafeMutableRawPointer? {
        if blocks.isEmpty || passed != nil || blocks[blocks.count - 1].room < size { blocks.append(makeBlock(size)) }
        let last = blocks.count - 1
        if passed != nil { blocks[last].passed = passed }
        let place = blocks[last].end
        blocks[last].end += size
        count += size
        return blocks[last].memory.baseAddress?.advanced(by: place)
    }

    /// What one turn makes goes to the reactor's block if that is free. What has to wait longer is in blocks that are
    /// about as large as it is: ten thousand deaf peers must not hold a large one each.
    private func makeBlock(_ size: Int) -> Block {
        if blocks.isEmpty, let memory = spare?.take(size) { return Block(memory: memory, isSpare: true) }
        let wanted = min(max(count, Self.smallestBlock), Self.largestBlock)
        return Block(memory: .allocate(byteCount: max(size, wanted), alignment: 16))
    }

    /// The first block, if descriptors go with it: it has to be sent by itself.
    var passing: (piece: UnsafeRawBufferPointer, descriptors: PassedDescriptors)? {
        guard head < blocks.count, let passed = blocks[head].passed else { return nil }
        return (UnsafeRawBufferPointer(rebasing: blocks[head].memory[blocks[head].start..<blocks[head].end]), passed)
    }

    /// All that waits, if it is in one piece, as it nearly always is.
    var onlyPiece: UnsafeRawBufferPointer? {
        guard blocks.count - head == 1 else { return nil }
        return UnsafeRawBufferPointer(rebasing: blocks[head].memory[blocks[head].start..<blocks[head].end])
    }

    /// The first pieces that wait: as many as one system call should take.
    func pieces(limit: Int = 64) -> [UnsafeRawBufferPointer] {
        blocks[head...].prefix(limit).prefix { $0.passed == nil }.map {
            UnsafeRawBufferPointer(rebasing: $0.memory[$0.start..<$0.end])
        }
    }

    /// The first `size` bytes have been sent.
    mutating func consume(_ size: Int) {
        var left = size
        count -= size
        while head < blocks.count {
            let length = blocks[head].end - blocks[head].start
            if left < length {
                blocks[head].start += left
                if left > 0 { blocks[head].passed = nil }
                return compact()
            }
            left -= length
            Self.release(blocks[head], spare)
            blocks[head].passed = nil
            head += 1
        }
        blocks.removeAll(keepingCapacity: blocks.count < 8)
        head = 0
    }

    /// The rest has to wait: moves it out of the reactor's block. At the end of each turn.
    mutating func settle() {
        guard head < blocks.count, blocks[head].isSpare else { return }
        let block = blocks[head]
        let rest = UnsafeRawBufferPointer(rebasing: block.memory[block.start..<block.end])
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: rest.count, alignment: 16)
        memory.copyMemory(from: rest)
        blocks[head] = Block(memory: memory, end: rest.count, passed: block.passed)
        Self.release(block, spare)
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
