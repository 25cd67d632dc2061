// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import CLI

@Suite struct Base64Tests {
    // RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func vectors(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == Array(text.utf8))
        #expect(Base64.decode(text.utf8) == Array(plain.utf8))
    }

    @Test func everyByteAndLength() {
        for count in 0..<300 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode([0xfb, 0xff, 0xfe]) == Array("+//+".utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z=g=", "====", "==", "Zm9v\n", "Zm 9", "Zm9-", "Zm9_", "Zh==", "Zm9=",
        "Zg==Zg==",
    ])
    func malformed(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }
}
