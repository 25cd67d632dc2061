// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import Wire

/// Every golden case that the implementations agree on: the verdict, the JSON, and the bytes of encoding again.
@Suite struct GoldenTests {
    static let cases = GoldenCase.all.filter { !$0.split }

    @Test func theTableIsWhole() {
        #expect(GoldenCase.all.count == 175)
        #expect(Self.cases.count == 165)
        #expect(GoldenCase["large_string"]?.bytes.count == 1_048_580)
        #expect(GoldenCase["repeated_10000_strings"]?.bytes.count == 150_000)
        #expect(GoldenCase["unknown_large"]?.bytes.count == 100_007)
    }

    @Test(arguments: cases.filter(\.accepted))
    func accepted(_ golden: GoldenCase) throws {
        let type = try #require(MessageRegistry.type(named: golden.type))
        try checkAccepted(type, golden)
    }

    private func checkAccepted<M: Message>(_ type: M.Type, _ golden: GoldenCase) throws {
        let message = try M(decoding: golden.bytes)
        let encoded = try message.encoded()
        #expect(encoded == golden.reencoded)
        // Encoding again is a fixed point, and nothing is lost on the way.
        let again = try M(decoding: encoded)
        #expect(try again.encoded() == encoded)
        guard let json = golden.json else { return }
        let written = try message.json()
        #expect(try object(written) == object(json), "\(written)")
        // The JSON gives the same message but for what JSON does not show: unknown fields and NaN's payload.
        let read = try M(json: json)
        #expect(try read.json() == written)
        #expect(try object(message.json(.indented)) == object(json))
        if golden.kind == "canonical" { #expect(try read.encoded() == golden.bytes) }
    }

    private func object(_ json: String) throws -> NSDictionary {
        // JSONSerialization drops a byte-order mark inside a string unless it is escaped.
        let escaped = json.replacingOccurrences(of: "\u{feff}", with: "\\ufeff")
        return try #require(JSONSerialization.jsonObject(with: Data(escaped.utf8)) as? NSDictionary)
    }

    /// More messages than people think of, each with the verdict, the bytes and the JSON of the C++ library.
    @Test func random() throws {
        #expect(GoldenCase.random.count > 1000)
        for golden in GoldenCase.random {
            let type = try #require(MessageRegistry.type(named: golden.type))
            if golden.accepted {
                try checkAccepted(type, golden)
            } else {
                #expect(throws: WireError.self, "\(golden.name)") { try type.init(decoding: golden.bytes) }
            }
        }
    }

    @Test(arguments: cases.filter { !$0.accepted })
    func rejected(_ golden: GoldenCase) throws {
        let type = try #require(MessageRegistry.type(named: golden.type))
        do {
            _ = try type.init(decoding: golden.bytes)
            Issue.record("accepted")
        } catch {
            #expect(expectedCodes(golden.name).contains(error.code), "\(error)")
            #expect(error.messageName == golden.type)
            let offset = try #require(error.offset)
            #expect((0...golden.bytes.count).contains(offset))
        }
    }

    /// What the name of a case says about the error.
    private func expectedCodes(_ name: String) -> [WireError.Code] {
        let rules: [(String, [WireError.Code])] = [
            ("bad_truncated", [.truncated]), ("bad_inner", [.truncated]), ("bad_map_entry_truncated", [.truncated]),
            ("bad_wire_type", [.unknownWireType]), ("bad_field_zero", [.malformedTag]),
            ("bad_group_unterminated", [.truncated]), ("bad_group_end_in_submessage", [.malformedGroup, .truncated]),
            ("bad_group", [.malformedGroup]), ("bad_nesting", [.tooDeep]),
            ("bad_missing_required", [.missingRequired]), ("bad_required", [.missingRequired]),
            ("bad_proto3_invalid_utf8", [.invalidUTF8]), ("bad_length", [.truncated, .malformedVarint]),
            ("bad_varint", [.malformedVarint]), ("bad_unknown_varint", [.malformedVarint]),
            ("bad_tag", [.malformedVarint]),
        ]
        return rules.first { name.hasPrefix($0.0) }?.1 ?? []
    }

    /// Where implementations differ, this one does as the C++ runtime does, but for proto2 strings that are not UTF-8:
    /// a Swift string cannot hold them, and bytes that are changed in silence are worse than an error.
    @Test(arguments: GoldenCase.all.filter(\.split))
    func split(_ golden: GoldenCase) throws {
        let type = try #require(MessageRegistry.type(named: golden.type))
        let notText = golden.name.hasPrefix("utf8_invalid")
        do {
            let message = try type.init(decoding: golden.bytes)
            #expect(golden.accepted && !notText)
            #expect(try message.encoded() == golden.reencoded)
        } catch {
            #expect(!golden.accepted || (notText && error.code == .invalidUTF8), "\(error)")
        }
    }

    @Test func truncation() throws {
        for row in GoldenCase.table("truncation") {
            let type = try #require(MessageRegistry.type(named: row[1]))
            let golden = try #require(GoldenCase[row[0]])
            #expect(row[2].count == golden.bytes.count)
            for (length, verdict) in row[2].enumerated() {
                let accepted = (try? type.init(decoding: Array(golden.bytes.prefix(length)))) != nil
                #expect(accepted == (verdict == "a"), "\(row[0]), \(length) bytes")
            }
        }
    }

    @Test func everyEnumValue() throws {
        let rows = GoldenCase.table("enums")
        #expect(rows.count == 344)
        for row in rows {
            let type = try #require(MessageRegistry.type(named: row[3]))
            let bytes = GoldenCase.bytes(row[5])
            let message = try type.init(decoding: bytes)
            #expect(try message.encoded() == bytes, "\(row)")
            let json = try message.json()
            // An open enum's zero is the same as nothing.
            #expect(json.contains("\"\(row[1])\"") || bytes.isEmpty, "\(row) \(json)")
            #expect(try type.init(json: json).encoded() == bytes, "\(row)")
        }
    }
}
