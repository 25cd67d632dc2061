// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

/// Golden messages with random damage. Nothing may crash, and whatever is accepted must be stable: encoded and decoded
/// again it is the same message, in binary and in JSON. The same seeds every time.
@Suite struct MutationTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func damagedMessages(_ seed: UInt64) throws {
        var generator = Generator(state: seed &* 0x9e37_79b9_7f4a_7c15)
        let cases = GoldenCase.all.filter { $0.bytes.count < 6000 }
        var accepted = 0
        for round in 0..<8000 {
            let golden = cases[round % cases.count]
            let type = try #require(MessageRegistry.type(named: golden.type))
            let bytes = damaged(golden.bytes, &generator, cases)
            if try check(type, bytes) { accepted += 1 }
        }
        // Damage that nothing survives would test only the errors.
        #expect(accepted > 500)
    }

    private func damaged(_ bytes: [UInt8], _ generator: inout Generator, _ cases: [GoldenCase]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let at = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &generator)
            case 2 where at < bytes.count: bytes.remove(at: at)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: at)
            case 4: bytes.removeLast(bytes.count - at)
            case 5: bytes += bytes.prefix(at)
            default:
                let other = cases.randomElement(using: &generator)?.bytes.prefix(64) ?? []
                bytes.insert(contentsOf: other, at: at)
            }
        }
        return bytes
    }

    private func check<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws -> Bool {
        let message: M
        do {
            message = try M(decoding: bytes)
        } catch {
            #expect(error.offset.map { (0...bytes.count).contains($0) } == true)
            return false
        }
        let encoded = try message.encoded()
        let again = try M(decoding: encoded)
        #expect(again == message, "\(M.fullName) \(bytes)")
        #expect(try again.encoded() == encoded, "\(M.fullName) \(bytes)")
        let json = try message.json()
        #expect(try M(json: json).json() == json, "\(M.fullName) \(bytes)")
        return true
    }
}
