// SPDX-License-Identifier: Apache-2.0

/// A control file of lines "key number", such as memory.stat and cgroup.events.
public struct FlatKeyed: Sendable, Hashable {
    public var values: [String: UInt64]

    /// Lines of any other form are skipped: newer kernels add some.
    public init(_ text: String) {
        values = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, let value = UInt64(fields[1]) { values[String(fields[0])] = value }
        }
    }

    public subscript(key: String) -> UInt64? { values[key] }
}

extension UInt64 {
    /// The number in a control file of one value. "max" is `UInt64.max`; nil for anything else.
    public init?(controlValue text: String) {
        let word = text.split(whereSeparator: { $0 == "\n" || $0 == " " }).first
        if word == "max" {
            self = .max
        } else if let word, let value = UInt64(word) {
            self = value
        } else {
            return nil
        }
    }
}
