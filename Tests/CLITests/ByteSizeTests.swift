// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CLI

@Suite struct ByteSizeTests {
    @Test(arguments: [
        ("0", 0), ("1b", 1), ("512", 512), ("64k", 65_536), ("32m", 33_554_432), ("32M", 33_554_432),
        ("1g", 1_073_741_824), ("1.5k", 1536), (".5k", 512),
    ])
    func units(text: String, bytes: Double) {
        #expect(ByteSize(argument: text)?.bytes == bytes)
    }

    @Test(arguments: ["", "m", "-1m", "+1m", "1mb", "1 m", "inf", "nan", "0x10", "1e3", "1.2.3", ".", "１m", "many"])
    func noNumber(text: String) {
        #expect(ByteSize(argument: text) == nil)
    }

    @Test func megabytesAreWhatMesosCounts() {
        #expect(ByteSize(argument: "32m")?.megabytes == 32)
        #expect(ByteSize(argument: "1b")?.megabytes == 1.0 / 1_048_576)
    }

    @Test func processors() {
        #expect(Processors(argument: "0.5")?.count == 0.5)
        #expect(Processors(argument: "0")?.count == 0)
        #expect(Processors(argument: "two") == nil)
        #expect(Processors(argument: "inf") == nil)
    }
}
