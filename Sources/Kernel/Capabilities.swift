// SPDX-License-Identifier: Apache-2.0
internal import CLibcap
internal import Glibc

/// A set of Linux capabilities (capabilities(7)), one bit each by the kernel's number.
public struct CapabilitySet: OptionSet, Sendable, Hashable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Numbers of 64 and more cannot be held and are left out.
    public init(numbers: some Sequence<UInt32>) {
        rawValue = numbers.reduce(0) { $1 < 64 ? $0 | 1 << UInt64($1) : $0 }
    }

    /// What a container has when nobody says otherwise: what its programs commonly need, and nothing that reaches the
    /// host. The same 14 that other container engines give.
    public static let containerDefault = CapabilitySet(numbers: [
        0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31,
    ])

    /// Every capability that the running kernel knows.
    public static func supported() -> CapabilitySet {
        let count = UInt64(clamping: cap_max_bits())
        return CapabilitySet(rawValue: count >= 64 ? .max : 1 << count - 1)
    }

    /// Ascending.
    public var numbers: [UInt32] {
        (0..<64).filter { rawValue & 1 << UInt64($0) != 0 }
    }
}

/// Names as libcap has them, with or without "cap_", in any case: "NET_RAW", "cap_net_raw".
extension CapabilitySet {
    /// The kernel's number; nil for a name that libcap does not know.
    public static func number(named name: String) -> UInt32? {
        let lower = name.lowercased()
        guard !lower.contains("\0") else { return nil }
        var value: cap_value_t = 0
        let full = lower.hasPrefix("cap_") ? lower : "cap_" + lower
        guard cap_from_name(full, &value) == 0 else { return nil }
        return UInt32(exactly: value)
    }

    /// "NET_RAW"; the decimal number for one that libcap does not know.
    public static func name(of number: UInt32) -> String {
        guard let value = cap_value_t(exactly: number), let text = cap_to_name(value) else { return "\(number)" }
        defer { cap_free(text) }
        let name = String(cString: text)
        return name.hasPrefix("cap_") ? String(name.dropFirst(4)).uppercased() : name
    }

    /// In the order of their numbers.
    public var names: [String] {
        numbers.map(Self.name(of:))
    }
}
