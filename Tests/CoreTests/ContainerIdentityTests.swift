// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import Core

@Suite struct ContainerIdentityTests {
    @Test func textIsRootFirstAndParsesBack() {
        let id = Mesos.ContainerID(parsing: "a.b.c")
        #expect(id.value == "c")
        #expect(id.parent?.parent?.value == "a")
        #expect(id.text == "a.b.c")
        #expect(id.segments == ["a", "b", "c"])
    }

    @Test(arguments: ["a", "web-1", "A_b", "ü", String(repeating: "x", count: 242)])
    func accepted(name: String) throws {
        try Mesos.ContainerID(value: name).validate()
    }

    @Test(arguments: [
        ("", "is empty"), (".", "dot"), ("..", "dot"), ("../../etc", "slash"), ("a/b", "slash"), ("a\\b", "slash"),
        ("a b", "space"), ("a.b", "dot"), ("a\u{0}b", "control"), ("a\nb", "control"), ("leaf", "reserved"),
        ("mesos", "reserved"), ("agent", "reserved"), (String(repeating: "x", count: 243), "longer than 242"),
    ])
    func refused(name: String, reason: String) {
        #expect {
            try Mesos.ContainerID(value: name).validate()
        } throws: { error in
            guard let error = error as? ContainerError else { return false }
            return error.kind == .invalidArgument && error.code == "container.invalid-id"
                && error.message.contains(reason)
        }
    }

    @Test func aBadParentIsRefusedToo() {
        #expect(throws: ContainerError.self) {
            try Mesos.ContainerID(value: "a", parent: Mesos.ContainerID(value: "..")).validate()
        }
    }

    @Test func nestingHasALimit() {
        let id = Mesos.ContainerID(parsing: Array(repeating: "a", count: 33).joined(separator: "."))
        #expect(throws: ContainerError.self) { try id.validate() }
    }
}
