// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing

struct FlatKeyedTests {
    @Test func linesOfOtherFormsAreSkipped() {
        let file = FlatKeyed("populated 1\nfrozen 0\nnested a=1 b=2\nword\nnegative -1\n")
        #expect(file.values == ["populated": 1, "frozen": 0])
        #expect(file["populated"] == 1)
        #expect(file["absent"] == nil)
    }

    @Test(
        arguments: [
            ("0\n", 0), ("33554432\n", 33_554_432), ("max\n", UInt64.max), ("50000 100000\n", 50_000),
            ("max 100000\n", .max),
            ("18446744073709551615", .max),
        ] as [(String, UInt64)])
    func oneValue(text: String, value: UInt64) {
        #expect(UInt64(controlValue: text) == value)
    }

    @Test(arguments: ["", "\n", "-1\n", "maximum\n", "18446744073709551616\n"])
    func noValue(text: String) {
        #expect(UInt64(controlValue: text) == nil)
    }
}
