// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

private func decodeRequest(_ bytes: [UInt8]) throws -> OutgoingRequest {
    try bytes.withUnsafeBytes { bytes in
        let envelope = try RequestEnvelope(decoding: bytes)
        return OutgoingRequest(
            service: String(decoding: envelope.service, as: UTF8.self),
            method: String(decoding: envelope.method, as: UTF8.self), payload: [UInt8](envelope.payload),
            timeoutNanoseconds: envelope.timeoutNanoseconds, metadata: envelope.metadata)
    }
}

private func decodeResponse(_ bytes: [UInt8]) throws -> Result<[UInt8], RPCError> {
    try bytes.withUnsafeBytes { bytes in
        switch try ResponseEnvelope(decoding: bytes) {
        case .payload(let payload): .success(payload)
        case .status(let status): .failure(status)
        }
    }
}

@Suite struct EnvelopeTests {
    @Test func aRequestIsWhatProtobufSays() {
        let request = OutgoingRequest(
            service: "s", method: "mm", payload: [1, 2], timeoutNanoseconds: 300, metadata: ["k": "v"])
        let expected: [UInt8] = [
            0x0a, 1, 0x73, 0x12, 2, 0x6d, 0x6d, 0x1a, 2, 1, 2, 0x20, 0xac, 2, 0x2a, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76,
        ]
        #expect(encoded(request) == expected)
    }

    @Test func aResponseIsWhatProtobufSays() {
        #expect(encoded(.payload([])) == [])
        #expect(encoded(.payload([7])) == [0x12, 1, 7])
        let status = RPCError(.notFound, "no", details: [StatusDetail(typeURL: "t", value: [9])])
        #expect(encoded(.status(status)) == [0x0a, 14, 8, 5, 0x12, 2, 0x6e, 0x6f, 0x1a, 6, 0x0a, 1, 0x74, 0x12, 1, 9])
        // An int32 below zero takes ten bytes.
        #expect(encoded(.status(RPCError(StatusCode(rawValue: -1), ""))).count == 13)
    }

    @Test(arguments: [0, 1, -1, 127, 128, .max, .min] as [Int64])
    func requestsComeBack(_ timeout: Int64) throws {
        let request = OutgoingRequest(
            service: "a.b.C", method: "D", payload: Array(repeating: 3, count: 300), timeoutNanoseconds: timeout,
            metadata: Metadata([.init(key: "x", value: "1"), .init(key: "x", value: ""), .init(key: "", value: "ü")]))
        #expect(try decodeRequest(encoded(request)) == request)
    }

    @Test func statusesComeBack() throws {
        for code in [1, 16, 17, -5, .max, .min] as [Int32] {
            let status = RPCError(
                StatusCode(rawValue: code), "wörter", details: [StatusDetail(typeURL: "", value: [0])])
            #expect(try decodeResponse(encoded(.status(status))) == .failure(status))
        }
    }

    @Test func anAbsentOrOKStatusIsSuccess() throws {
        #expect(try decodeResponse([]) == .success([]))
        #expect(try decodeResponse([0x0a, 0, 0x12, 1, 5]) == .success([5]))
        #expect(try decodeResponse([0x0a, 2, 8, 0, 0x12, 1, 5]) == .success([5]))
    }

    @Test func theLastScalarWinsAndMessagesMerge() throws {
        #expect(try decodeRequest([0x0a, 1, 0x61, 0x0a, 1, 0x62]).service == "b")
        // A status in two pieces: the code, then the text.
        #expect(try decodeResponse([0x0a, 2, 8, 5, 0x0a, 3, 0x12, 1, 0x78]) == .failure(RPCError(.notFound, "x")))
    }

    @Test func unknownFieldsArePassedOver() throws {
        let unknown: [UInt8] =
            [0x38, 1] + [0x39, 1, 2, 3, 4, 5, 6, 7, 8] + [0x3a, 1, 9] + [0x3d, 1, 2, 3, 4]
            + [0x3b, 0x3b, 0x38, 1, 0x3c, 0x3c] + [0xf8, 0xff, 0xff, 0xff, 0x0f, 1]
            // Known numbers with types that are not theirs.
            + [0x08, 1, 0x22, 1, 7]
        #expect(try decodeRequest(unknown + [0x0a, 1, 0x61]).service == "a")
        #expect(try decodeResponse(unknown + [0x12, 1, 0x61]) == .success([0x61]))
    }

    @Test(
        arguments: [
            ([0x0a], 1, "the message ends in a number"),
            ([0x0a, 2, 0x61], 1, "a field is longer than its message"),
            (
                [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 1,
                "a field is longer than its message"
            ),
            ([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], 10, "a number has more than 64 bits"),
            ([0x00], 0, "field number out of range"),
            ([0x80, 0x80, 0x80, 0x80, 0x10, 0], 0, "field number out of range"),
            ([0x0e], 0, "unknown wire type"),
            ([0x3c], 1, "a group ends that has not begun"),
            ([0x3b, 0x44], 2, "a group ends that has not begun"),
            ([0x3b], 1, "the message ends in a group"),
            ([0x3d, 1], 1, "the message ends in a number"),
            ([0x2a, 3, 0x0a, 1, 0xff], 3, "a string is not UTF-8"),
            ([0x2a, 2, 0x0a, 9], 3, "a field is longer than its message"),
        ] as [([UInt8], Int, String)])
    func whatIsBrokenIsRefusedWithItsPlace(_ bytes: [UInt8], _ offset: Int, _ reason: String) {
        let error = #expect(throws: EnvelopeError.self) { try decodeRequest(bytes) }
        #expect(error == EnvelopeError(offset: offset, reason: reason))
    }

    @Test func nestedGroupsHaveALimit() throws {
        let fits = [UInt8](repeating: 0x3b, count: 100) + [UInt8](repeating: 0x3c, count: 100)
        #expect(try decodeRequest(fits).service == "")
        let deep = [UInt8](repeating: 0x3b, count: 1 << 20)
        let error = #expect(throws: EnvelopeError.self) { try decodeRequest(deep) }
        #expect(error?.reason == "groups are nested too deeply")
    }

    @Test func repeatedFieldsHaveALimit() throws {
        let entries = { (count: Int) in (0..<count).flatMap { _ in [0x2a, 0] as [UInt8] } }
        #expect(try decodeRequest(entries(1_024)).metadata.entries.count == 1_024)
        #expect(throws: EnvelopeError(offset: 2_049, reason: "too much metadata")) { try decodeRequest(entries(1_025)) }
        let details = (0..<1_025).flatMap { _ in [0x1a, 0] as [UInt8] }
        let response = [0x0a, 0x82, 0x10] + details
        #expect(throws: EnvelopeError.self) { try decodeResponse(response) }
    }

    @Test func noBytesTrap() {
        var generator = SystemRandomNumberGenerator()
        let seed = encoded(
            OutgoingRequest(
                service: "a.b.C", method: "D", payload: [1, 2, 3], timeoutNanoseconds: 5, metadata: ["k": "v"]))
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                default: bytes = Array(bytes[..<max(1, index)])
                }
            }
            _ = try? decodeRequest(bytes)
            _ = try? decodeResponse(bytes)
        }
    }
}
