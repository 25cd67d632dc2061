// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The golden messages: bytes, and what the reference implementation makes of them.
struct GoldenCase: Sendable, CustomTestStringConvertible {
    var name: String
    var type: String
    var kind: String
    var accepted: Bool
    /// Implementations differ; the case says more about one of them than about the format.
    var split: Bool
    var exercises: String
    var bytes: [UInt8]
    /// What decoding and encoding again gives; nil for rejected cases.
    var reencoded: [UInt8]?
    var json: String?

    var testDescription: String { "\(name): \(exercises)" }

    static let all = cases("cases")

    /// Random messages, as Tests/CProtoTests/generate.cc makes them, judged by protobuf's C++ library.
    static let random = cases("random")

    private static func cases(_ name: String) -> [GoldenCase] {
        table(name).map(GoldenCase.init)
    }

    private init(_ row: [String]) {
        name = row[0]
        type = row[1]
        kind = row[2]
        accepted = row[3] == "accept"
        split = row[4] == "yes"
        exercises = row[5]
        bytes = Self.bytes(row[6])
        reencoded =
            switch row[7] {
            case "=": bytes
            case "-": nil
            case "-empty": []
            case "@unknown_large": Self.unknownLarge(knownFirst: true)
            default: Self.hex(row[7])
            }
        json = Self.json(row[8])
    }

    static subscript(name: String) -> GoldenCase? { all.first { $0.name == name } }

    /// Rows of a table beside this file, without the first line.
    static func table(_ name: String) -> [[String]] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Goldens/\(name).tsv").path
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        let text = String(decoding: data, as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: true).dropFirst().map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    static func bytes(_ text: String) -> [UInt8] {
        switch text {
        case "-": []
        case "@large_string": [0x1a, 0x80, 0x80, 0x40] + Array(largeString.utf8)
        case "@repeated_10000_strings": layers.flatMap { [0x0a, 0x0d] + Array($0.utf8) }
        case "@unknown_large": unknownLarge(knownFirst: false)
        default: hex(text)
        }
    }

    private static func hex(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8 {
            let value = digit < 0x3a ? digit - 0x30 : digit - 0x61 + 10
            if let first = high {
                result.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return result
    }

    private static func json(_ text: String) -> String? {
        switch text {
        case "-": nil
        case "@large_string": "{\"rootfs\":\"\(largeString)\"}"
        case "@repeated_10000_strings":
            "{\"paths\":[" + layers.map { "\"\($0)\"" }.joined(separator: ",") + "]}"
        case "@unknown_large": "{\"status\":0}"
        default: text
        }
    }

    // Three cases are too long for a table and simple enough to say in a line.

    private static let largeString = String(repeating: "abcdefghijklmnop", count: 65536)

    private static let layers = (0..<10000).map { "/layers/" + String(100_000 + $0).dropFirst() }

    private static func unknownLarge(knownFirst: Bool) -> [UInt8] {
        let unknown = [0xea, 0x04, 0xa0, 0x8d, 0x06] + [UInt8](repeating: 0x41, count: 100_000)
        return knownFirst ? [0x18, 0x00] + unknown : unknown + [0x18, 0x00]
    }
}
