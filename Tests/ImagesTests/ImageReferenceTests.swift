// SPDX-License-Identifier: Apache-2.0

import Core
import Testing

@testable import Images

@Suite struct ImageReferenceTests {
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    @Test(arguments: [
        ("debian", "debian:latest"), ("debian:12", "debian:12"), ("team/app:1.0_x-y", "team/app:1.0_x-y"),
        ("registry.example:5000/team/app", "registry.example:5000/team/app:latest"),
        ("localhost/x", "localhost/x:latest"), ("localhost:5000", "localhost:5000"),
        ("a__b.c-d--e", "a__b.c-d--e:latest"),
        ("Registry.Example/app", "Registry.Example/app:latest"),
        ("a:" + String(repeating: "t", count: 128), "a:" + String(repeating: "t", count: 128)),
    ])
    func accepted(text: String, canonical: String) throws {
        #expect(try ImageReference(text).canonical == canonical)
    }

    @Test func tagAndDigest() throws {
        let reference = try ImageReference("team/app:1@\(Self.digest)")
        #expect(reference.name == "team/app")
        #expect(reference.tag == "1")
        #expect(reference.digest == Self.digest)
    }

    @Test(arguments: [
        "", ":", "a:", "Debian", "a b", "/a", "a/", "a//b", "../etc", "a/../b", ".", "-a", "a-", "a..b", "a___b",
        "a._b",
        "a:.x", "a:-x", "a:x y", "a@sha256:12", "a@b@c", "a@md5:x", "host:x/app", "host.example:99999/app", "a\u{0}b",
        "ä",
        "a:" + String(repeating: "t", count: 129), String(repeating: "a", count: 256),
    ])
    func refused(text: String) {
        let error = #expect(throws: ContainerError.self) { try ImageReference(text) }
        #expect(error?.code == "image.bad-reference")
        #expect(error?.kind == .invalidArgument)
    }
}
