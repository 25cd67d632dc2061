// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

/// Messages of google.protobuf that have forms of their own in JSON.
@Suite struct TimestampTests {
    private typealias Timestamp = Google.Protobuf.Timestamp

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00Z"), (68_260_220, 21_000_000, "1972-03-01T01:10:20.021Z"),
        (951_782_400, 0, "2000-02-29T00:00:00Z"), (951_868_799, 999_999_999, "2000-02-29T23:59:59.999999999Z"),
        (-1, 500_000, "1969-12-31T23:59:59.000500Z"), (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
        (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"), (4_107_542_400, 0, "2100-03-01T00:00:00Z"),
    ])
    func moments(_ seconds: Int64, _ nanos: Int32, _ text: String) throws {
        let moment = Timestamp(seconds: seconds, nanos: nanos)
        #expect(try moment.json() == "\"\(text)\"")
        #expect(try Timestamp(json: "\"\(text)\"") == moment)
        let event = Containerd.Types.Envelope(timestamp: moment, topic: "/tasks/exit")
        #expect(try event.json() == "{\"timestamp\":\"\(text)\",\"topic\":\"/tasks/exit\"}")
        #expect(try Containerd.Types.Envelope(json: event.json()) == event)
    }

    @Test func everyDay() throws {
        // Eight hundred years, so that every kind of leap year comes.
        for day in stride(from: Int64(-146_097), to: 146_097, by: 61) {
            let moment = Timestamp(seconds: day * 86_400 + 3600)
            #expect(try Timestamp(json: moment.json()) == moment)
        }
    }

    @Test func offsets() throws {
        #expect(try Timestamp(json: #""1970-01-01T01:30:00+01:30""#) == Timestamp())
        #expect(try Timestamp(json: #""1969-12-31T16:00:00.5-08:00""#) == Timestamp(nanos: 500_000_000))
    }

    @Test(arguments: [
        "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z", "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.0000000001Z", "1970-01-01T00:00:00ZZ",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "x", "",
    ])
    func notAMoment(_ text: String) {
        let error = #expect(throws: WireError.self) {
            try Containerd.Types.Envelope(json: "{\"timestamp\":\"\(text)\"}")
        }
        #expect(error?.code == .unsuitableValue)
        #expect(error?.path == "timestamp")
    }

    @Test(arguments: [(Int64.max, 0), (-62_135_596_801, 0), (0, -1), (0, 1_000_000_000)] as [(Int64, Int32)])
    func momentsThatJSONCannotSay(_ seconds: Int64, _ nanos: Int32) {
        let error = #expect(throws: WireError.self) { try Timestamp(seconds: seconds, nanos: nanos).json() }
        #expect(error?.code == .unsuitableValue)
    }

    @Test func wrappers() throws {
        let response = Csi.V1.GetCapacityResponse(maximumVolumeSize: Google.Protobuf.Int64Value(value: 1 << 40))
        #expect(try response.json() == #"{"maximum_volume_size":"1099511627776"}"#)
        #expect(try Csi.V1.GetCapacityResponse(json: response.json()) == response)
        #expect(try Csi.V1.ProbeResponse(json: #"{"ready":false}"#).ready == Google.Protobuf.BoolValue())
        #expect(try Csi.V1.ProbeResponse(json: #"{"ready":null}"#).ready == nil)
    }
}
