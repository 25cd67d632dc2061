// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

/// `description`: protobuf's text format on one line.
@Suite struct TextTests {
    @Test func fields() {
        #expect("\(Mesos.Slave.ContainerTermination())" == "")
        let id = Mesos.ContainerID(value: "b", parent: Mesos.ContainerID(value: "a"))
        #expect("\(id)" == #"value: "b" parent { value: "a" }"#)
        let command = Mesos.CommandInfo(shell: false, arguments: ["a", "b c"])
        #expect("\(command)" == #"shell: false arguments: "a" arguments: "b c""#)
        #expect("\(Mesos.Value.Range(begin: 1, end: .max))" == "begin: 1 end: 18446744073709551615")
        #expect("\(Mesos.Value.Scalar(value: -.infinity))" == "value: -inf")
        #expect("\(Mesos.Value.Scalar(value: .nan))" == "value: nan")
        #expect("\(Mesos.CapabilityInfo(capabilities: [.chown, .kill]))" == "capabilities: CHOWN capabilities: KILL")
        #expect("\(Gantry.V1.LaunchResponse(result: .init(rawValue: 77)))" == "result: 77")
    }

    @Test func mapsAreSorted() {
        let request = Gantry.V1.LaunchRequest(environment: ["b": "2", "a": "1"])
        #expect(
            "\(request)" == #"environment { key: "a" value: "1" } environment { key: "b" value: "2" }"#)
    }

    @Test func escapes() {
        #expect("\(Mesos.ContainerID(value: "\"\\\n\r\t\u{0}\u{7f}é"))" == #"value: "\"\\\n\r\t\000\177é""#)
        #expect("\(Mesos.UUID(value: [0, 0x41, 0xff]))" == #"value: "\000A\377""#)
    }

    @Test func unknownFields() throws {
        let bytes: [UInt8] = [
            0x0a, 0x01, 0x61, 0x78, 0x96, 0x01, 0x82, 0x01, 0x02, 0x68, 0x69, 0x8d, 0x01, 1, 2, 3, 4, 0x91, 0x01, 1, 0,
            0, 0,
            0, 0, 0, 0x80, 0x9b, 0x01, 0x08, 0x05, 0x9c, 0x01,
        ]
        let id = try Mesos.ContainerID(decoding: bytes)
        #expect("\(id)" == #"value: "a" 15: 150 16: "hi" 17: 0x04030201 18: 0x8000000000000001 19 { 1: 5 }"#)
    }
}
