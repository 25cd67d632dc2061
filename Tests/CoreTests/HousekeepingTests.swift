// SPDX-License-Identifier: Apache-2.0

import Kernel
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Core

@Suite struct HousekeepingTests {
    private let clock = ContinuousClock()

    /// A duty that tells when it has run.
    private func rounds(of housekeeping: Housekeeping) -> AsyncStream<ContinuousClock.Instant> {
        let (rounds, continuation) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
        housekeeping.add { continuation.yield(.now) }
        return rounds
    }

    @Test func itIsDoneAfterAMomentWithoutActivity() async throws {
        let housekeeping = try Housekeeping()
        var rounds = rounds(of: housekeeping).makeAsyncIterator()
        housekeeping.disturb()
        let start = clock.now
        housekeeping.ask()
        // The clock of the activity counts in whole milliseconds.
        let round = try #require(await rounds.next())
        #expect(start.duration(to: round) >= .milliseconds(4))
    }

    @Test func eachRequestAfterARoundBringsAnother() async throws {
        let housekeeping = try Housekeeping()
        var rounds = rounds(of: housekeeping).makeAsyncIterator()
        for _ in 0..<3 {
            housekeeping.ask()
            _ = try #require(await rounds.next())
        }
    }

    /// A daemon that is never quiet gets its spares too.
    @Test func itIsNotPutOffForEver() async throws {
        let housekeeping = try Housekeeping()
        let isOver = Atomic(false)
        var rounds = rounds(of: housekeeping).makeAsyncIterator()
        let busy = try Thread("busy") { [housekeeping] in
            while !isOver.load(ordering: .relaxed) { housekeeping.disturb() }
        }
        housekeeping.ask()
        _ = try #require(await rounds.next())
        isOver.store(true, ordering: .relaxed)
        busy.join()
    }

    @Test func whatWasThrownAwayIsRemovedInAQuietMoment() async throws {
        let temporary = try TemporaryDirectory()
        let housekeeping = try Housekeeping()
        let trash = try Trash(in: temporary.directory, housekeeping: housekeeping, log: Logger(label: "test"))
        var rounds = rounds(of: housekeeping).makeAsyncIterator()
        try temporary.directory.make("a")
        #expect(try trash.discard("a", of: temporary.directory))
        // Each discard brings a round; another one may have been under way.
        repeat {
            _ = try #require(await rounds.next())
        } while try !temporary.directory.directory("trash").names().isEmpty
        #expect(try temporary.directory.names() == ["trash"])
    }
}
