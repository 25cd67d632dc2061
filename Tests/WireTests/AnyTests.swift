// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

/// google.protobuf.Any in JSON: the members of what is inside, and its type.
@Suite struct AnyTests {
    private typealias AnyMessage = Google.Protobuf.AnyMessage
    private static let prefix = "type.googleapis.com/"

    private func any<M: Message>(_ message: M) throws -> AnyMessage {
        AnyMessage(typeURL: Self.prefix + M.fullName, value: try message.encoded())
    }

    private func check(_ message: AnyMessage, _ json: String) throws {
        #expect(try message.json() == json)
        #expect(try AnyMessage(json: json) == message)
    }

    private func error(_ json: String) -> WireError? {
        #expect(throws: WireError.self) { try AnyMessage(json: json) }
    }

    @Test func members() throws {
        let id = Mesos.ContainerID(value: "b", parent: Mesos.ContainerID(value: "a"))
        let json = #"{"@type":"type.googleapis.com/mesos.ContainerID","value":"b","parent":{"value":"a"}}"#
        try check(any(id), json)
        // Wherever the type stands.
        for text in [
            #"{"value":"b","parent":{"value":"a"},"@type":"type.googleapis.com/mesos.ContainerID"}"#,
            #"{ "value" : "b", "@type" : "type.googleapis.com/mesos.ContainerID", "parent" : {"value":"a"} }"#,
        ] {
            #expect(try AnyMessage(json: text) == any(id))
        }
        try check(any(Google.Protobuf.Empty()), #"{"@type":"type.googleapis.com/google.protobuf.Empty"}"#)
        try check(AnyMessage(), "{}")
        #expect(
            try any(Mesos.ContainerID(value: "a")).json(.indented) == """
                {
                  "@type": "type.googleapis.com/mesos.ContainerID",
                  "value": "a"
                }
                """)
    }

    @Test func whatHasAFormOfItsOwn() throws {
        let moment = Google.Protobuf.Timestamp(seconds: 1)
        try check(
            any(moment), #"{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"1970-01-01T00:00:01Z"}"#)
        try check(
            any(Google.Protobuf.Int64Value(value: 7)),
            #"{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"7"}"#)
        let inner = try any(Mesos.ContainerID(value: "a"))
        try check(
            any(inner),
            #"{"@type":"type.googleapis.com/google.protobuf.Any","value":"#
                + #"{"@type":"type.googleapis.com/mesos.ContainerID","value":"a"}}"#)
        #expect(
            try AnyMessage(json: #"{"value":"7","@type":"x/google.protobuf.Int64Value"}"#)
                == AnyMessage(typeURL: "x/google.protobuf.Int64Value", value: [8, 7]))
    }

    @Test func asAField() throws {
        let status = Google.Rpc.Status(
            code: 5, message: "no", details: [try any(Mesos.ContainerID(value: "a")), AnyMessage()])
        #expect(
            try status.json()
                == #"{"code":5,"message":"no","details":"#
                + #"[{"@type":"type.googleapis.com/mesos.ContainerID","value":"a"},{}]}"#)
        #expect(try Google.Rpc.Status(json: status.json()) == status)
    }

    @Test func unknownTypes() throws {
        for url in ["type.googleapis.com/no.such.Type", "mesos.ContainerID", "", "/"] {
            let writing = #expect(throws: WireError.self) { try AnyMessage(typeURL: url, value: [8, 1]).json() }
            #expect(writing?.code == .unsuitableValue)
            #expect(writing?.detail.contains("\"\(url)\"") == true)
            let reading = error("{\"@type\":\"\(url)\"}")
            #expect(reading?.code == .unsuitableValue)
            #expect(reading?.detail.contains("\"\(url)\"") == true)
        }
        let details = #"{"details":[{},{"@type":"x/no.such.Type"}]}"#
        let reading = #expect(throws: WireError.self) { try Google.Rpc.Status(json: details) }
        #expect(reading?.path == "details[1]")
    }

    @Test func contentThatIsNone() throws {
        let broken = AnyMessage(typeURL: "x/mesos.ContainerID", value: [0x0a, 5])
        #expect(#expect(throws: WireError.self) { try broken.json() }?.code == .unsuitableValue)
        // Complete inside, as everywhere.
        #expect(error(#"{"@type":"x/mesos.ContainerID"}"#)?.code == .missingRequired)
        #expect(error(#"{"@type":"x/mesos.ContainerID","value":7}"#)?.path == "value.value")
    }

    @Test(arguments: [
        #"{"@type":"x/mesos.ContainerID","@type":"x/mesos.ContainerID","value":"a"}"#,
        #"{"@type":"x/google.protobuf.Int64Value","value":1,"value":1}"#,
        #"{"@type":"x/google.protobuf.Int64Value","other":1}"#, #"{"@type":"x/google.protobuf.Int64Value"}"#,
        #"{"value":"a"}"#, #"{"@type":7}"#, "[]", "7", #"{"@type":"x/mesos.ContainerID""#, #"{"value":{]}"#,
        #"{"value":}"#,
        #"{"value":,}"#, #"{"value"#,
    ])
    func notAnAny(_ json: String) {
        #expect(error(json) != nil)
    }

    @Test(arguments: [200, 20_000])
    func depth(_ levels: Int) throws {
        let open = #"{"@type":"x/google.protobuf.Any","value":"#
        let deep = String(repeating: open, count: levels) + "{}" + String(repeating: "}", count: levels)
        #expect(error(deep)?.code == .tooDeep)
        var message = AnyMessage()
        for _ in 0..<min(levels, 200) { message = try any(message) }
        #expect(#expect(throws: WireError.self) { try message.json() }?.code == .tooDeep)
        let shallow = String(repeating: open, count: 50) + "{}" + String(repeating: "}", count: 50)
        #expect(try AnyMessage(json: shallow).json() == shallow)
    }
}
