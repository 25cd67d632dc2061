// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Wire

/// Values are filled by one decoder, and messages refused by another, in C: they must not differ in what they accept.
@Suite struct AgreementTests {
    private func compare<M: Message>(_ type: M.Type, _ bytes: [UInt8]) -> WireError.Code? {
        let verdict: WireError?
        do throws(WireError) {
            _ = try Encoded<M>(checking: bytes)
            verdict = nil
        } catch {
            verdict = error
        }
        do throws(WireError) {
            _ = try M(decoding: bytes)
            #expect(verdict == nil || verdict?.code == .memoryLimit, "\(M.fullName): \(bytes)")
        } catch {
            #expect(error.code == .memoryLimit || error == verdict, "\(M.fullName): \(bytes), \(error)")
        }
        return verdict?.code
    }

    /// Of every golden message: each prefix, and the whole with one byte, two bytes or a length changed at random.
    @Test func damage() throws {
        var random = SystemRandomNumberGenerator()
        var refusals: [WireError.Code: Int] = [:]
        var accepted = 0
        for golden in GoldenCase.all + GoldenCase.random where golden.bytes.count < 2000 {
            let type = try #require(MessageRegistry.type(named: golden.type))
            var damaged = (0..<min(60, golden.bytes.count)).map { Array(golden.bytes.prefix($0)) }
            for round in 0..<60 where !golden.bytes.isEmpty {
                var bytes = golden.bytes
                for _ in 0...round % 2 {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    switch round % 3 {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
                    default: bytes.insert(contentsOf: golden.bytes.dropFirst(index).prefix(9), at: index)
                    }
                }
                damaged.append(bytes)
            }
            for bytes in damaged {
                if let code = compare(type, bytes) { refusals[code, default: 0] += 1 } else { accepted += 1 }
            }
        }
        // It was not all of one kind.
        #expect(accepted > 10_000)
        for code in [
            .truncated, .malformedVarint, .malformedTag, .unknownWireType, .malformedGroup, .invalidUTF8,
            .missingRequired,
        ] as [WireError.Code] {
            #expect(refusals[code, default: 0] > 20, "\(code)")
        }
    }

    @Test func hostileShapes() {
        for shape in HostileShape.large { _ = compare(shape.type, shape.bytes) }
    }
}
