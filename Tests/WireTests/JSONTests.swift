// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

@Suite struct JSONTests {
    private func error<M: Message>(_ type: M.Type, _ json: String) -> WireError? {
        do {
            _ = try M(json: json)
            return nil
        } catch {
            return error
        }
    }

    // MARK: writing

    @Test func layouts() throws {
        let id = Mesos.ContainerID(value: "b", parent: Mesos.ContainerID(value: "a"))
        #expect(try id.json() == #"{"value":"b","parent":{"value":"a"}}"#)
        #expect(
            try id.json(.indented) == """
                {
                  "value": "b",
                  "parent": {
                    "value": "a"
                  }
                }
                """)
        #expect(try Mesos.Slave.ContainerTermination().json(.indented) == "{}")
    }

    @Test func escapes() throws {
        let id = Mesos.ContainerID(value: "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é€😀")
        let json = try id.json()
        #expect(json == #"{"value":"\"\\/\u0008\u000c\n\r\t\u0000\u001f\u007fé€😀"}"#)
        #expect(try Mesos.ContainerID(json: json) == id)
    }

    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.5, "1.5"), (1e300, "1e+300"), (.nan, "\"NaN\""),
        (.infinity, "\"Infinity\""), (-.infinity, "\"-Infinity\""),
    ])
    func numbers(_ value: Double, _ text: String) throws {
        let scalar = Mesos.Value.Scalar(value: value)
        #expect(try scalar.json() == "{\"value\":\(text)}")
        #expect(try Mesos.Value.Scalar(json: scalar.json()) == scalar)
    }

    @Test func mapKeysAreSorted() throws {
        let request = Gantry.V1.LaunchRequest(environment: ["b": "2", "a": "1", "ab": "3"])
        #expect(try request.json() == #"{"environment":{"a":"1","ab":"3","b":"2"}}"#)
    }

    // MARK: reading

    @Test func whatIsUnderstood() throws {
        let range = Mesos.Value.Range(begin: 7, end: UInt64.max)
        for json in [
            #"{"begin":"7","end":"18446744073709551615"}"#, #"{"begin":7,"end":18446744073709551615}"#,
            #"{ "begin" : 7.0 , "end" : "18446744073709551615" }"#,
            "\n{\"begin\":70e-1,\"end\":18446744073709551615}\t",
        ] {
            #expect(try Mesos.Value.Range(json: json) == range, "\(json)")
        }
        // lowerCamel names and null.
        let request = try Gantry.V1.KillRequest(json: #"{"containerId":{"value":"a","parent":null},"signal":9}"#)
        #expect(request == Gantry.V1.KillRequest(containerID: Mesos.ContainerID(value: "a"), signal: 9))
        // Enums by name and number; an open enum takes any number.
        #expect(try Gantry.V1.LaunchResponse(json: #"{"result":"ALREADY_LAUNCHED"}"#).result == .alreadyLaunched)
        #expect(try Gantry.V1.LaunchResponse(json: #"{"result":2}"#).result == .alreadyLaunched)
        #expect(try Gantry.V1.LaunchResponse(json: #"{"result":77}"#).result.rawValue == 77)
        // Surrogate pairs and escapes.
        #expect(try Mesos.ContainerID(json: #"{"value":"\ud83d\ude00\/\u00e9"}"#).value == "😀/é")
    }

    @Test(
        arguments: [
            ("AA==", [0]), ("AA", [0]), ("AAA=", [0, 0]), ("AAA", [0, 0]), ("AAAA", [0, 0, 0]),
            ("+/+/", [0xfb, 0xff, 0xbf]),
            ("-_-_", [0xfb, 0xff, 0xbf]), ("", []),
        ] as [(String, [UInt8])])
    func base64(_ text: String, _ bytes: [UInt8]) throws {
        #expect(try Mesos.UUID(json: "{\"value\":\"\(text)\"}").value == bytes)
    }

    @Test(arguments: ["A", "AAAAA", "A===", "AA=", "A=A=", "AA==AA", "A A=", "é"])
    func notBase64(_ text: String) {
        #expect(error(Mesos.UUID.self, "{\"value\":\"\(text)\"}")?.code == .unsuitableValue)
    }

    @Test(arguments: [
        "", "{", "}", "[]x", "{\"value\"}", "{\"value\":\"a\",}", "{\"value\":\"a\"} x", "{value:\"a\"}",
        "{\"value\":\"a}", "{\"value\":\"\\x\"}", "{\"value\":\"\\u12g4\"}", "{\"value\":\"\\ud800\"}",
        "{\"value\":\"\\udc00\"}", "{\"value\":\"\\ud800\\u0041\"}", "{\"value\":\"\\", "{\"value\":\"\n\"}", "nul",
    ])
    func notJSON(_ text: String) {
        let error = error(Mesos.ContainerID.self, text)
        #expect(error?.code == .malformedJSON, "\(String(describing: error))")
        #expect(error.map { $0.offset ?? .max <= text.utf8.count } == true)
    }

    @Test(arguments: [
        "01", "+1", ".5", "1.", "1e", "-", "0x10", "1e400", "NaN", "Infinity", "\"nan\"", "\"0x10\"", "\"\"", "true",
        "[]", "{}",
    ])
    func notANumber(_ text: String) {
        #expect(error(Mesos.Value.Scalar.self, "{\"value\":\(text)}") != nil)
    }

    @Test(arguments: ["2147483648", "-2147483649", "1.5", "\"1.5\"", "1e10", "\"\"", "\" 1\""])
    func outOfRange(_ text: String) {
        let error = error(Gantry.V1.KillRequest.self, "{\"signal\":\(text)}")
        #expect(error?.code == .unsuitableValue)
        #expect(error?.path == "signal")
        #expect(error?.offset == 10)
    }

    @Test func errorsNameTheField() {
        let json = #"{"container_config":{"command_info":{"uris":[{"value":"a"},{"value":7}]}}}"#
        let unsuitable = error(Gantry.V1.LaunchRequest.self, json)
        #expect(unsuitable?.code == .unsuitableValue)
        #expect(unsuitable?.path == "container_config.command_info.uris[1].value")
        #expect(unsuitable?.offset == json.utf8.count - 6)

        let missing = error(Gantry.V1.LaunchRequest.self, #"{"container_id":{"parent":{"value":"a"}}}"#)
        #expect(missing?.code == .missingRequired)
        #expect(missing?.path == "container_id.value")

        #expect(error(Mesos.ContainerID.self, #"{"value":"a","colour":1}"#)?.code == .unknownMember)
        #expect(error(Mesos.ContainerID.self, #"{"value":"a","value":"b"}"#)?.code == .unknownMember)
        #expect(error(Gantry.V1.LaunchRequest.self, #"{"environment":{"a":"1","a":"2"}}"#)?.code == .unknownMember)
        let twice = #"{"symlink":{},"mkdir":{}}"#
        #expect(error(Mesos.Slave.ContainerFileOperation.self, twice)?.code == .unknownMember)
        #expect(error(Mesos.Image.self, #"{"type":"TAR"}"#)?.code == .unsuitableValue)
        #expect(error(Mesos.Image.self, #"{"type":3}"#)?.code == .unsuitableValue)
        #expect(error(Mesos.Image.self, #"{"type":[]}"#)?.code == .unsuitableValue)
        #expect(error(Mesos.ContainerID.self, #"{"value":{}}"#)?.code == .unsuitableValue)
        #expect(error(Mesos.ContainerInfo.self, #"{"type":"MESOS","volumes":{}}"#)?.code == .malformedJSON)
    }

    @Test(arguments: [1000, 100_000])
    func depth(_ levels: Int) {
        let json = String(repeating: #"{"value":"a","parent":"#, count: levels)
        #expect(error(Mesos.ContainerID.self, json)?.code == .tooDeep)
        #expect(error(Mesos.ContainerID.self, String(repeating: "[", count: levels))?.code == .malformedJSON)
    }
}
