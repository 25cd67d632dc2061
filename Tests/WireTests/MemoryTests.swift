// SPDX-License-Identifier: Apache-2.0
import CProto
import Testing

@testable import Wire

/// A decode takes at most 128 bytes for each byte of input and a constant, C structs and Swift values together; and
/// never more than its caller allows. In processes of their own, where nothing else allocates.
@Suite(.serialized) struct MemoryTests {
    /// What malloc adds and what belongs to no message: the codec's first block, alignment, the list of free blocks.
    static let slack = 8 << 10

    static func check(_ type: any Message.Type, _ bytes: [UInt8], _ what: String) {
        let use = HeapUse(type, bytes)
        #expect(use.total <= memoryBound(bytes.count) + slack, "\(what): \(use) of \(bytes.count) bytes")
        if bytes.count < 100_000 {
            let limit = use.total / 2
            let limited = HeapUse(type, bytes, memoryLimit: limit)
            #expect(limited.total <= limit + slack, "\(what): \(limited) with \(limit)")
        }
    }

    @Test func everyGolden() async {
        await #expect(processExitsWith: .success) {
            for golden in GoldenCase.all + GoldenCase.random {
                let type = try #require(MessageRegistry.type(named: golden.type))
                let refusal = HeapUse(type, golden.bytes).refusal
                #expect(refusal != .memoryLimit, "\(golden.name)")
                MemoryTests.check(type, golden.bytes, golden.name)
            }
        }
    }

    /// Every repeated sub-message of every type, empty and with one small field: what two to five bytes can cost most.
    @Test func everyRepeatedMessage() async {
        await #expect(processExitsWith: .success) {
            for type in MessageRegistry.all {
                for shape in HostileShape.repeatedMessages(of: type, count: 1200) {
                    MemoryTests.check(type, shape.bytes, shape.name)
                }
            }
        }
    }

    @Test func largeShapes() async {
        await #expect(processExitsWith: .success) {
            for shape in HostileShape.large {
                MemoryTests.check(shape.type, shape.bytes, shape.name)
                let before = PeakMemory.now
                PeakMemory.reset()
                _ = try? shape.type.init(decoding: shape.bytes)
                let taken = PeakMemory.peak - before
                #expect(taken <= memoryBound(shape.bytes.count) + (4 << 20), "\(shape.name): \(taken)")
            }
        }
    }

    @Test func whatIsRefusedSaysSo() throws {
        let bytes = HostileShape.times(16_000, [0x8a, 0x01, 0x02, 0x0a, 0x00])
        #expect(try Mesos.Slave.ContainerLaunchInfo(decoding: bytes).mounts.count == 16_000)
        let error = #expect(throws: WireError.self) {
            try Mesos.Slave.ContainerLaunchInfo(decoding: bytes, memoryLimit: 1_000_000)
        }
        #expect(error?.code == .memoryLimit)
        #expect(error?.path.hasPrefix("mounts") == true)
    }
}
