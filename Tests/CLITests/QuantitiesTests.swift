// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CLI

@Suite struct QuantitiesTests {
    @Test(arguments: [
        (0.0, 1, "0.0"), (1.25, 1, "1.3"), (1.04, 1, "1.0"), (-1.5, 0, "-2"), (12.345, 2, "12.35"), (0.005, 2, "0.01"),
        (-0.04, 2, "-0.04"), (1e300, 1, "-"), (.infinity, 1, "-"), (.nan, 1, "-"),
    ])
    func decimals(value: Double, decimals: Int, text: String) {
        #expect(fixed(value, decimals) == text)
    }

    @Test(arguments: [
        (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (33_554_432, "32.0 MiB"), (1_610_612_736, "1.5 GiB"),
        (UInt64.max, "16384.0 PiB"),
    ])
    func bytes(count: UInt64, text: String) {
        #expect(byteText(count) == text)
    }

    @Test(arguments: [
        (Int64(0), ""), (1_000_000_000_000, "0s"), (999_000_000_000, "1s"), (940_000_000_000, "1m"),
        (2_000_000_000_000, "0s"), (Int64.min, ""),
    ])
    func age(start: Int64, text: String) {
        #expect(ageText(since: start, now: 1_000_000_000_000) == text)
    }

    @Test func longAges() {
        #expect(ageText(since: 1, now: 3_600_000_000_001) == "1h")
        #expect(ageText(since: 1, now: 172_800_000_000_001) == "2d")
    }

    @Test func times() {
        #expect(timeText(unixNanoseconds: 1_764_000_000_000_000_000) == "2025-11-24 16:00:00Z")
        #expect(timeText(unixNanoseconds: 0) == "")
        #expect(durationText(nanoseconds: 41_999) == "41 us")
        #expect(durationText(nanoseconds: 1_250_000) == "1.3 ms")
        #expect(durationText(nanoseconds: 2_000_000_000) == "2.0 s")
    }
}
