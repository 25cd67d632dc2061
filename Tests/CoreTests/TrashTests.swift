// SPDX-License-Identifier: Apache-2.0

import Kernel
import Logging
import SystemPackage
import TestSupport
import Testing

@testable import Core

@Suite struct TrashTests {
    private let temporary: TemporaryDirectory
    private let log = Logger(label: "test")

    init() throws {
        temporary = try TemporaryDirectory()
    }

    private func full(_ name: FilePath) throws {
        let directory = try temporary.directory.ensure(name).ensure("deep")
        try directory.replaceFile("file", with: [1], durable: false)
    }

    @Test func whatIsThrownAwayIsGoneAtOnceAndRemovedLater() throws {
        let trash = try Trash(in: temporary.directory, housekeeping: Housekeeping(), log: log)
        try full("a")
        #expect(try trash.discard("a", of: temporary.directory))
        #expect(try temporary.directory.names() == ["trash"])
        #expect(try trash.discard("a", of: temporary.directory) == false)
        trash.empty()
        #expect(try temporary.directory.directory("trash").names().isEmpty)
    }

    @Test func whatADeadDaemonLeftIsRemoved() throws {
        try temporary.directory.make("trash")
        try full("trash/left")
        let trash = try Trash(in: temporary.directory, housekeeping: Housekeeping(), log: log)
        trash.empty()
        #expect(try temporary.directory.directory("trash").names().isEmpty)
    }

    /// The names are new in each life of the daemon: what is still being removed is in nobody's way.
    @Test func twoLivesDoNotMeet() throws {
        let first = try Trash(in: temporary.directory, housekeeping: Housekeeping(), log: log)
        let second = try Trash(in: temporary.directory, housekeeping: Housekeeping(), log: log)
        for round in 0..<50 {
            try full(FilePath("\(round)"))
            #expect(
                try (round.isMultiple(of: 2) ? first : second).discard(FilePath("\(round)"), of: temporary.directory))
        }
        first.empty()
        second.empty()
        #expect(try temporary.directory.directory("trash").names().isEmpty)
    }
}
