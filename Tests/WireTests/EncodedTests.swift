// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

@Suite struct EncodedTests {
    @Test func bytesStayAsTheyCame() throws {
        // Fields in the wrong order, and a varint that is longer than it has to be.
        let bytes: [UInt8] = [0x12, 0x03, 0x0a, 0x01, 0x61, 0x0a, 0x81, 0x00, 0x62]
        let encoded = try Encoded<Mesos.ContainerID>(checking: bytes)
        #expect(encoded.bytes == bytes)
        let value = Mesos.ContainerID(value: "b", parent: Mesos.ContainerID(value: "a"))
        #expect(try encoded.decoded() == value)
        #expect(try Encoded(value).bytes == value.encoded())
        #expect(try Encoded(value) != encoded)
        #expect("\(encoded)" == "mesos.ContainerID, 9 bytes")
    }

    @Test func whatIsNoMessageIsRefused() {
        let error = #expect(throws: WireError.self) { try Encoded<Mesos.ContainerID>(checking: [0x12, 0x00]) }
        #expect(error?.code == .missingRequired)
        #expect(error?.path == "value")
    }
}
