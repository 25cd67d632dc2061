// SPDX-License-Identifier: Apache-2.0
internal import CProto

/// Messages of `google.protobuf` that have a form of their own in JSON.
enum WellKnown {
    /// The members of the message inside and `@type`; if that one has a form of its own, `@type` and `value`.
    case any
    /// A string of RFC 3339.
    case timestamp
    /// The value inside.
    case wrapper

    init?(_ table: UnsafePointer<cp_message>) {
        switch Codec.fullName(table) {
        case "google.protobuf.Any": self = .any
        case "google.protobuf.Timestamp": self = .timestamp
        case "google.protobuf.BoolValue", "google.protobuf.Int64Value": self = .wrapper
        default: return nil
        }
    }
}

extension MessageRegistry {
    /// Of the type that a URL names behind its last slash; nil for a type that is not known here.
    static func table(url: String) -> UnsafePointer<cp_message>? {
        guard let slash = url.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return type(named: String(url[url.index(after: slash)...])).map { table(of: $0) }
    }

    static func table(of type: any Message.Type) -> UnsafePointer<cp_message> { type.schema.table }
}

/// A moment in UTC as JSON has it: `1972-01-01T10:00:20.021Z`. Years from 1 to 9999; no leap seconds.
struct JSONTimestamp {
    /// Since 1970.
    var seconds: Int64
    var nanos: Int32

    private static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
    private static let days400 = 146_097

    init(seconds: Int64, nanos: Int32) {
        self.seconds = seconds
        self.nanos = nanos
    }

    /// nil for what JSON cannot say.
    var text: String? {
        guard Self.range.contains(seconds), (0..<1_000_000_000).contains(nanos) else { return nil }
        let second = Int(seconds) - Int(Self.range.lowerBound)
        let (year, month, day) = Self.date(second / 86_400)
        let time = second % 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let years = String(repeating: "0", count: 4 - "\(year)".count) + "\(year)"
        var text = "\(years)-\(two(month))-\(two(day))T\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))"
        if nanos != 0 {
            // Three, six or nine digits.
            var digits = String(String(1_000_000_000 + Int(nanos)).dropFirst())
            while digits.hasSuffix("000") { digits.removeLast(3) }
            text += "." + digits
        }
        return text + "Z"
    }

    /// `days` after the first of January of the year 1.
    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        // Years are counted from March, so that the leap day is the last: 306 days after March 1 is January 1.
        let days = days + 306
        let era = days / days400
        let ofEra = days % days400
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * month + 2) / 5 + 1
        return (era * 400 + year + (month > 9 ? 1 : 0), month > 9 ? month - 9 : month + 3, day)
    }

    /// Days from the first of January of the year 1.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let month = month > 2 ? month - 3 : month + 9
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 306
    }

    /// With any offset from UTC, and up to nine digits of a fraction.
    init?(_ text: [UInt8]) {
        var rest = text[...]
        func number(_ digits: Int) -> Int? {
            guard rest.count >= digits else { return nil }
            var value = 0
            for digit in rest.prefix(digits) {
                guard (0x30...0x39).contains(digit) else { return nil }
                value = 10 * value + Int(digit - 0x30)
            }
            rest.removeFirst(digits)
            return value
        }
        func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2), take("T"),
            let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
            year > 0, (1...12).contains(month), day > 0, day <= Self.length(of: month, year), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var nanos = 0
        if take(".") {
            let digits = rest.prefix { (0x30...0x39).contains($0) }.count
            guard (1...9).contains(digits), let fraction = number(digits) else { return nil }
            nanos = (digits..<9).reduce(fraction) { value, _ in 10 * value }
        }
        var offset = 0
        if !take("Z") {
            let isEast = take("+")
            guard isEast || take("-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24,
                minutes < 60
            else { return nil }
            offset = (isEast ? 1 : -1) * (3600 * hours + 60 * minutes)
        }
        guard rest.isEmpty else { return nil }
        let time = 3600 * hour + 60 * minute + second - offset
        seconds = Self.range.lowerBound + Int64(86_400 * Self.days(year, month, day) + time)
        self.nanos = Int32(nanos)
        guard Self.range.contains(seconds) else { return nil }
    }

    private static func length(of month: Int, _ year: Int) -> Int {
        days(month == 12 ? year + 1 : year, month % 12 + 1, 1) - days(year, month, 1)
    }
}
