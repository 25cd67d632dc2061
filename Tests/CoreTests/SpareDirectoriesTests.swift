// SPDX-License-Identifier: Apache-2.0

import Kernel
import SystemPackage
import TestSupport
import Testing

@testable import Core

@Suite struct SpareDirectoriesTests {
    private let temporary: TemporaryDirectory
    private let waiting: Directory

    init() throws {
        temporary = try TemporaryDirectory()
        waiting = try temporary.directory.ensure("spares")
    }

    private func spares(_ wanted: Int, isBlank: (Directory) -> Bool = { _ in true }) throws -> SpareDirectories {
        try SpareDirectories(directory: waiting, wanted: wanted, housekeeping: Housekeeping(), isBlank: isBlank) {
            (spare) throws(SystemError) in try spare.replaceFile("content", with: [7], durable: false)
        }
    }

    @Test func aSpareIsWholeAndTheTakers() throws {
        let spares = try spares(2)
        try spares.refill()
        #expect(try waiting.names().count == 2)
        let first = try spares.take()
        let second = try spares.take()
        #expect(first != second)
        for name in [first, second, try spares.take()] {
            #expect(try waiting.directory(name).readFile("content", limit: 8) == [7])
        }
    }

    @Test func thoseOfAnEarlierDaemonAreTaken() throws {
        try spares(3).refill()
        let names = try Set(waiting.names())
        let again = try spares(3)
        #expect(try Set([again.take(), again.take(), again.take()]) == names)
    }

    @Test func whatIsHalfMadeOrUsedIsRemoved() throws {
        try waiting.make(".half")
        try waiting.make("used")
        try waiting.make("blank")
        _ = try spares(0) { $0.path.hasSuffix("blank") }
        #expect(try waiting.names() == ["blank"])
    }

    @Test func aFillThatFailsLeavesNothing() throws {
        let spares = try SpareDirectories(directory: waiting, wanted: 1, housekeeping: Housekeeping()) {
            (_) throws(SystemError) in throw SystemError("fill", "test", .noSpace)
        }
        #expect(throws: SystemError.self) { try spares.take() }
        #expect(throws: SystemError.self) { try spares.refill() }
        #expect(try waiting.names().isEmpty)
    }
}
