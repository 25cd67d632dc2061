// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

extension OutputQueue {
    fileprivate mutating func add(_ bytes: [UInt8]) {
        guard let target = append(bytes.count) else { return }
        bytes.withUnsafeBytes {
            target.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: $0.count)
        }
    }

    /// As the socket would take them, at most `size` bytes.
    fileprivate mutating func send(_ size: Int) -> [UInt8] {
        let sent = Array(pieces().flatMap { [UInt8]($0) }.prefix(size))
        consume(sent.count)
        return sent
    }
}

@Suite struct OutputQueueTests {
    @Test func bytesLeaveInTheOrderInWhichTheyCame() {
        var generator = SystemRandomNumberGenerator()
        var queue = OutputQueue()
        var (expected, sent): ([UInt8], [UInt8]) = ([], [])
        for round in 0..<200 {
            let size = [0, 1, 10, 5_000, 40_000].randomElement(using: &generator) ?? 0
            let bytes = [UInt8](repeating: UInt8(round), count: size)
            queue.add(bytes)
            expected += bytes
            sent += queue.send(Int.random(in: 0...40_000, using: &generator))
            let left = queue.count
            #expect(left == expected.count - sent.count)
        }
        while !queue.isEmpty { sent += queue.send(1 << 20) }
        #expect(sent == expected)
        let pieces = queue.pieces().count
        #expect(pieces == 0)
    }

    @Test func oneCallTakesALimitedNumberOfPieces() {
        var queue = OutputQueue()
        for _ in 0..<100 { queue.add([UInt8](repeating: 1, count: 40_000)) }
        let (pieces, bytes) = (queue.pieces(limit: 64).count, queue.count)
        #expect(pieces == 64 && bytes == 4_000_000)
        queue.removeAll()
        let left = queue.count
        #expect(left == 0)
    }
}
