// SPDX-License-Identifier: Apache-2.0

/// JSON text (RFC 8259), token by token. Knows nothing of messages.
struct JSONScanner {
    struct Failure: Error {
        var code: WireError.Code
        var offset: Int
        var detail: String
    }

    /// Valid UTF-8, because it comes from a String.
    private let bytes: [UInt8]
    private(set) var at = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    func failure(_ detail: String, code: WireError.Code = .malformedJSON, at offset: Int? = nil) -> Failure {
        Failure(code: code, offset: offset ?? at, detail: detail)
    }

    /// The next byte that is not white space, without taking it; nil at the end.
    mutating func peek() -> UInt8? {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0a, 0x0d: at += 1
            default: return bytes[at]
            }
        }
        return nil
    }

    /// Takes the next byte if it is this one.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard take(character) else { throw failure("expected '\(character)'") }
    }

    mutating func take(word: StaticString) -> Bool {
        _ = peek()
        let length = word.utf8CodeUnitCount
        guard bytes.count - at >= length else { return false }
        let matches = word.withUTF8Buffer { $0.elementsEqual(bytes[at..<at + length]) }
        if matches { at += length }
        return matches
    }

    /// Passes over one value of any kind, and looks at no more of it than its brackets and strings.
    mutating func skipValue() throws(Failure) {
        var depth = 0
        repeat {
            guard let byte = peek() else { throw failure("a value without an end") }
            switch byte {
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of what the value is in, where a value should be.
                guard depth > 0 else { throw failure("expected a value") }
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw failure("expected a value") }
                at += 1
            default: skipWord()
            }
        } while depth > 0
    }

    /// A number, true, false or null: up to what cannot be part of one.
    private mutating func skipWord() {
        while at < bytes.count, !" \t\n\r,:{}[]\"".utf8.contains(bytes[at]) { at += 1 }
    }

    mutating func expectEnd() throws(Failure) {
        guard peek() == nil else { throw failure("text after the end") }
    }

    /// A number as it is written.
    mutating func number() throws(Failure) -> String {
        _ = peek()
        let start = at
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
        let integer = digits()
        let leadingZero = integer > 1 && bytes[at - integer] == UInt8(ascii: "0")
        guard integer > 0, !leadingZero else { throw failure("not a number", at: start) }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            guard digits() > 0 else { throw failure("not a number", at: start) }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { throw failure("not a number", at: start) }
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return at - start
    }

    /// A string's content as UTF-8.
    mutating func string() throws(Failure) -> [UInt8] {
        try expect("\"")
        let start = at
        // Most strings have nothing to unescape.
        while at < bytes.count, bytes[at] >= 0x20, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") {
            at += 1
        }
        var result = Array(bytes[start..<at])
        while true {
            guard at < bytes.count else { throw failure("string without an end", at: start) }
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return result
            case UInt8(ascii: "\\"): try unescape(into: &result)
            case 0..<0x20: throw failure("control character in a string", at: at - 1)
            default: result.append(byte)
            }
        }
    }

    private mutating func unescape(into result: inout [UInt8]) throws(Failure) {
        guard at < bytes.count else { throw failure("string without an end") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0c)
        case UInt8(ascii: "n"): result.append(0x0a)
        case UInt8(ascii: "r"): result.append(0x0d)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try unicodeEscape()
            result.append(contentsOf: String(Character(scalar)).utf8)
        default: throw failure("unknown escape", at: at - 1)
        }
    }

    /// After `\u`: one code unit, or two that are a pair of surrogates.
    private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
        let start = at - 2
        let high = try hexadecimal()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard (0xd800..<0xdc00).contains(high), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
            bytes[at + 1] == UInt8(ascii: "u")
        else { throw failure("half a surrogate pair", at: start) }
        at += 2
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
        else { throw failure("half a surrogate pair", at: start) }
        return scalar
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard bytes.count - at >= 4 else { throw failure("unknown escape") }
        var value: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("unknown escape") }
            value = value << 4 | UInt32(digit)
        }
        at += 4
        return value
    }
}
