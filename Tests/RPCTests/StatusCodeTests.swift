// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

@Suite struct StatusCodeTests {
    @Test func namesAreThoseOfGRPC() {
        #expect(StatusCode.ok.description == "OK")
        #expect(StatusCode.unauthenticated.description == "UNAUTHENTICATED")
        #expect(StatusCode(rawValue: 17).description == "CODE_17")
        #expect(StatusCode(rawValue: -1).description == "CODE_-1")
    }
}
