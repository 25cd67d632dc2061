// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

@testable import CLI

@Suite struct WireBatchTests {
    private func answer(_ line: String) -> String {
        String(decoding: WireBatch.answer(Array(line.utf8)[...]), as: UTF8.self)
    }

    private func base64(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.encode(bytes), as: UTF8.self)
    }

    @Test func decode() throws {
        let message = Mesos.ContainerID(value: "check", parent: Mesos.ContainerID(value: "web"))
        let json = #"{"value":"check","parent":{"value":"web"}}"#
        let expected = "ok \(base64(Array(json.utf8)))\n"
        #expect(answer("decode mesos.ContainerID \(base64(try message.encoded()))") == expected)
        #expect(answer("decode mesos.ContainerID \(base64(try message.encoded()))\r") == expected)
    }

    @Test func roundtrip() throws {
        let config = Mesos.Slave.ContainerConfig(
            directory: "/x", commandInfo: Mesos.CommandInfo(value: "ls"), limits: ["mem": Mesos.Value.Scalar(value: 32)]
        )
        let text = base64(try config.encoded())
        #expect(answer("roundtrip mesos.slave.ContainerConfig \(text)") == "ok \(text)\n")
    }

    @Test func anEmptyMessage() {
        #expect(answer("roundtrip gantry.v1.HealthRequest ") == "ok \n")
        #expect(answer("roundtrip gantry.v1.HealthRequest") == "ok \n")
        #expect(answer("decode gantry.v1.HealthRequest ") == "ok e30=\n")
    }

    @Test func refusedBytesNameTheirOffset() {
        // Field 1, a string of 200 bytes that are not there.
        let reply = answer("decode mesos.ContainerID \(base64([0x0a, 0xc8, 0x01, 0x61]))")
        #expect(reply.hasPrefix("rejected "))
        #expect(reply.contains("offset "))
        #expect(reply.contains("mesos.ContainerID"))
        #expect(reply.count { $0 == "\n" } == 1)
        #expect(answer("decode mesos.ContainerID ").hasPrefix("rejected missing required field"))
    }

    @Test(arguments: [
        ("decode no.Such Zg==", "rejected unknown type 'no.Such'\n"),
        ("encode mesos.ContainerID Zg==", "rejected unknown request 'encode'\n"),
        ("decode mesos.ContainerID Zg", "rejected malformed base64\n"),
        ("decode mesos.ContainerID Zg== Zg==", "rejected malformed base64\n"),
        ("", "rejected expected 'decode TYPE BASE64' or 'roundtrip TYPE BASE64'\n"),
    ])
    func otherLines(line: String, reply: String) {
        #expect(answer(line) == reply)
    }

    @Test func linesInPieces() {
        for size in 1...9 {
            var lines = LineSplitter()
            var seen: [String] = []
            let text = Array("one\n\ntwo two\nlast".utf8)
            for start in stride(from: 0, to: text.count, by: size) {
                lines.add(text[start..<min(start + size, text.count)]) {
                    seen.append(String(decoding: $0, as: UTF8.self))
                }
            }
            lines.end { seen.append(String(decoding: $0, as: UTF8.self)) }
            #expect(seen == ["one", "", "two two", "last"])
        }
    }
}
