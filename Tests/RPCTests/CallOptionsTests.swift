// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

@Suite struct CallOptionsTests {
    @Test(
        arguments: [
            (nil, 0), (.zero, nil), (.seconds(-1), nil), (.nanoseconds(1), 1), (.seconds(2), 2_000_000_000),
            (Duration(secondsComponent: 0, attosecondsComponent: 1), 1), (.seconds(Int64.max), .max),
        ] as [(Duration?, Int64?)])
    func timeoutsTravelAsNanosecondsThatAreLeft(_ timeout: Duration?, _ expected: Int64?) {
        #expect(CallOptions(timeout: timeout).timeoutNanoseconds == expected)
    }

    @Test func metadataIsFoundWithoutRegardToCase() {
        let metadata = Metadata([
            .init(key: "A-b", value: "1"), .init(key: "c", value: "2"), .init(key: "a-B", value: "3"),
        ])
        #expect(metadata["a-b"] == ["1", "3"])
        #expect(metadata["d"] == [])
    }
}
