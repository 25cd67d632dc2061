// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

/// What a decoder handed out, in comparable form.
private enum Seen: Equatable {
    case frame(FrameHeader, [UInt8])
    case oversized(FrameHeader)
}

extension FrameDecoder {
    /// Feeds one read's worth.
    fileprivate mutating func feed(_ input: [UInt8]) -> [Seen] {
        input.withUnsafeBytes { bytes in
            var offset = 0
            var seen: [Seen] = []
            while let event = next(bytes, &offset) {
                switch event {
                case .frame(let header, let data): seen.append(.frame(header, [UInt8](data)))
                case .oversized(let header): seen.append(.oversized(header))
                }
            }
            #expect(offset == bytes.count)
            return seen
        }
    }
}

@Suite struct FrameDecoderTests {
    private static let data = (0..<40).map { UInt8($0) }
    /// Several frames of all kinds in a row. The oversized one claims 4 MiB + 1 and brings them.
    private static let small: [UInt8] =
        frame(1, 1, 0, data) + frame(3, 3, 5) + frame(5, 0x77, 0xff, [1]) + frame(7, 2, 0, [9, 9])
    private static let smallSeen: [Seen] = [
        .frame(FrameHeader(length: 40, streamID: 1, type: .request), data),
        .frame(FrameHeader(length: 0, streamID: 3, type: .data, flags: [.remoteClosed, .noData]), []),
        .frame(
            FrameHeader(
                length: 1, streamID: 5, type: FrameType(rawValue: 0x77), flags: FrameFlags(rawValue: 0xff)), [1]),
        .frame(FrameHeader(length: 2, streamID: 7, type: .response), [9, 9]),
    ]

    @Test func oneReadCarriesManyFrames() {
        var decoder = FrameDecoder()
        let seen = decoder.feed(Self.small)
        #expect(seen == Self.smallSeen)
        let (held, inside) = (decoder.heldBytes, decoder.isInsideFrame)
        #expect(held == 0 && !inside)
    }

    @Test func framesMayBeCutAtEveryByte() {
        for cut in 0...Self.small.count {
            var decoder = FrameDecoder()
            var seen = decoder.feed(Array(Self.small[..<cut]))
            seen += decoder.feed(Array(Self.small[cut...]))
            #expect(seen == Self.smallSeen, "cut at \(cut)")
        }
    }

    @Test func framesMayComeByteByByte() {
        var decoder = FrameDecoder()
        let seen = Self.small.flatMap { decoder.feed([$0]) }
        #expect(seen == Self.smallSeen)
    }

    @Test func aCutOffFrameIsReadIntoItsOwnBlock() {
        var decoder = FrameDecoder()
        let bytes = frame(1, 1, 0, Self.data)
        let none = decoder.feed(Array(bytes[..<15]))
        #expect(none.isEmpty)
        let held = decoder.heldBytes
        #expect(held == 40)
        let wanted = decoder.wanted
        #expect(wanted.count == 35)
        wanted.copyBytes(from: bytes[15...])
        decoder.filled(35)
        // The same read went on with the next frame.
        let seen = decoder.feed(frame(3, 3, 1, [8]))
        #expect(
            seen == [
                .frame(FrameHeader(length: 40, streamID: 1, type: .request), Self.data),
                .frame(FrameHeader(length: 1, streamID: 3, type: .data, flags: .remoteClosed), [8]),
            ])
        let afterwards = decoder.wanted.count
        #expect(afterwards == 0)
    }

    @Test func fourMebibytesAreAFrameAndOneMoreIsNot() {
        var decoder = FrameDecoder()
        let largest = [UInt8](repeating: 1, count: 4 << 20)
        #expect(
            decoder.feed(frame(1, 1, 0, largest)) == [
                .frame(FrameHeader(length: 4 << 20, streamID: 1, type: .request), largest)
            ])
        let tooLarge = frame(3, 1, 0, largest + [1]) + frame(5, 1)
        #expect(
            decoder.feed(tooLarge) == [
                .oversized(FrameHeader(length: 4 << 20 + 1, streamID: 3, type: .request)),
                .frame(FrameHeader(length: 0, streamID: 5, type: .request), []),
            ])
    }

    @Test func anOversizedFrameIsSkippedHoweverItIsCut() {
        let bytes = frame(3, 1, 0, [UInt8](repeating: 1, count: 4 << 20 + 1)) + frame(5, 1)
        for size in [1 << 20, 999_983, 4 << 20 + 11, 4 << 20 + 12] {
            var decoder = FrameDecoder()
            var seen: [Seen] = []
            var start = 0
            while start < bytes.count {
                let end = min(start + size, bytes.count)
                seen += decoder.feed(Array(bytes[start..<end]))
                start = end
            }
            #expect(
                seen == [
                    .oversized(FrameHeader(length: 4 << 20 + 1, streamID: 3, type: .request)),
                    .frame(FrameHeader(length: 0, streamID: 5, type: .request), []),
                ])
        }
    }

    @Test func aClaimOfFourGibibytesHoldsNoMemory() {
        var decoder = FrameDecoder()
        let seen = decoder.feed(frame(1, 1, 0, [], length: .max))
        #expect(seen == [.oversized(FrameHeader(length: Int(UInt32.max), streamID: 1, type: .request))])
        let (held, inside) = (decoder.heldBytes, decoder.isInsideFrame)
        #expect(held == 0 && inside)
    }

    @Test func theSequenceTellsASlowFrameFromManyQuickOnes() {
        var decoder = FrameDecoder()
        _ = decoder.feed([0])
        let first = decoder.sequence
        _ = decoder.feed([0, 0])
        #expect(decoder.sequence == first)
        _ = decoder.feed([1] + frame(1, 1)[4...] + [7] + [0])
        #expect(decoder.sequence == first + 1)
        let inside = decoder.isInsideFrame
        #expect(inside)
    }

    @Test func randomCutsGiveTheSameFrames() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var decoder = FrameDecoder()
            var seen: [Seen] = []
            var rest = Self.small[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(20, rest.count), using: &generator)
                // Half of the reads go straight into the block, where there is one.
                let direct = Bool.random(using: &generator) ? min(decoder.wanted.count, count) : 0
                if direct > 0 {
                    decoder.wanted.copyBytes(from: rest.prefix(direct))
                    decoder.filled(direct)
                }
                seen += decoder.feed(Array(rest.prefix(count).dropFirst(direct)))
                rest = rest.dropFirst(count)
            }
            #expect(seen == Self.smallSeen)
        }
    }
}
