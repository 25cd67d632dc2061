// SPDX-License-Identifier: Apache-2.0

final class ServerCall: Sendable {
    func nextMessage() async throws -> [UInt8]? { fatalError("in work") }
    func send(_ bytes: [UInt8]) async throws { fatalError("in work") }
}
