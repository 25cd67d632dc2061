// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// A number of bytes as users write it: `512`, `64k`, `32m`, `1.5g`; the units are powers of 1024.
struct ByteSize: Equatable, ExpressibleByArgument {
    var bytes: Double

    init(bytes: Double) {
        self.bytes = bytes
    }

    init?(argument: String) {
        let units: [Character: Double] = ["b": 1, "k": 1024, "m": 1_048_576, "g": 1_073_741_824]
        var digits = argument[...]
        var unit = 1.0
        if let last = argument.lowercased().last, let named = units[last] {
            unit = named
            digits = digits.dropLast()
        }
        guard let number = plainNumber(digits) else { return nil }
        bytes = number * unit
    }

    /// The unit that Mesos counts memory in: 1 MB is 2^20 bytes.
    var megabytes: Double { bytes / 1_048_576 }
}

/// A count of processors: `2`, `0.5`. Zero is a number too: what is allowed is for the daemon to say.
struct Processors: Equatable, ExpressibleByArgument {
    var count: Double

    init(count: Double) {
        self.count = count
    }

    init?(argument: String) {
        guard let number = plainNumber(argument[...]) else { return nil }
        count = number
    }
}

/// Digits with at most one point. `Double` itself also takes `inf`, `nan`, `0x1p3` and `1e9`, which nobody means here.
private func plainNumber(_ text: Substring) -> Double? {
    guard text.contains(where: \.isNumber), text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) else {
        return nil
    }
    guard let number = Double(text), number.isFinite else { return nil }
    return number
}
