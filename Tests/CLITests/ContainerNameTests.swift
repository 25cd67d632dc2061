// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

@testable import CLI

@Suite struct ContainerNameTests {
    @Test func nestedNames() {
        let inner = ContainerName(argument: "web.check")
        #expect(inner?.id == Mesos.ContainerID(value: "check", parent: Mesos.ContainerID(value: "web")))
        #expect(inner?.description == "web.check")
        #expect(ContainerName(argument: "web")?.id == Mesos.ContainerID(value: "web"))
    }

    @Test(arguments: ["", ".", "a.", ".a", "a..b"])
    func emptyParts(text: String) {
        #expect(ContainerName(argument: text) == nil)
    }

    @Test func randomNames() {
        let names = Set((0..<100).map { _ in ContainerName.random().description })
        #expect(names.count == 100)
        #expect(names.allSatisfy { $0.count == 12 && $0.allSatisfy(\.isHexDigit) })
    }
}
