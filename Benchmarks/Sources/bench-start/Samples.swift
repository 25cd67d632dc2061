// SPDX-License-Identifier: Apache-2.0

/// The times that one contestant took.
struct Samples {
    private var times: [Duration] = []

    mutating func add(_ time: Duration) { times.append(time) }

    /// The time that `part` (0...1) of the samples did not exceed, in milliseconds; 0 without samples.
    func quantile(_ part: Double) -> Double {
        guard !times.isEmpty else { return 0 }
        let sorted = times.sorted()
        let index = Int((Double(sorted.count) * part).rounded(.up)) - 1
        return sorted[min(max(index, 0), sorted.count - 1)].milliseconds
    }
}

extension Duration {
    var milliseconds: Double { Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15 }
}
