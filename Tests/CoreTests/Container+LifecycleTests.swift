// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Core

/// Every state against every event: what follows, and which state it leaves.
@Suite struct LifecycleTests {
    private typealias State = Lifecycle.State

    /// A life cycle in the given state, by the events that lead there.
    private static func lifecycle(in state: Lifecycle.State) -> Lifecycle {
        var machine = Lifecycle()
        switch state {
        case .provisioning, .preparing, .isolating, .fetching, .running:
            while machine.state != state { _ = machine.onStepDone() }
        case .destroying: _ = machine.onDestroy()
        case .destroyFailed:
            _ = machine.onDestroy()
            machine.onDestroyFailed()
        }
        return machine
    }

    @Test(arguments: [
        (State.provisioning, Lifecycle.OnStepDone.proceed(.preparing), State.preparing),
        (.preparing, .proceed(.isolating), .isolating),
        (.isolating, .proceed(.fetching), .fetching),
        (.fetching, .proceed(.running), .running),
        (.running, .invalid, .running),
        (.destroying, .overtaken, .destroying),
        (.destroyFailed, .overtaken, .destroyFailed),
    ])
    func stepDone(state: Lifecycle.State, result: Lifecycle.OnStepDone, next: Lifecycle.State) {
        var machine = Self.lifecycle(in: state)
        #expect(machine.onStepDone() == result)
        #expect(machine.state == next)
    }

    @Test(arguments: Lifecycle.State.allCases)
    func destroy(state: Lifecycle.State) {
        var machine = Self.lifecycle(in: state)
        let result = machine.onDestroy()
        switch state {
        case .destroying: #expect(result == .join)
        case .destroyFailed: #expect(result == .retry)
        default:
            #expect(result == .begin)
            #expect(machine.destroyedIn == state)
        }
        #expect(machine.state == .destroying)
    }

    @Test(arguments: Lifecycle.State.allCases)
    func destroyFailed(state: Lifecycle.State) {
        var machine = Self.lifecycle(in: state)
        machine.onDestroyFailed()
        #expect(machine.state == (state == .destroying ? .destroyFailed : state))
    }

    @Test func onlyAContainerThatNeverLeftProvisioningSkipsTheIsolators() {
        for state in Lifecycle.State.allCases where state != .destroying && state != .destroyFailed {
            var machine = Self.lifecycle(in: state)
            _ = machine.onDestroy()
            #expect(machine.isolatorsWereAsked == (state != .provisioning), "\(state)")
        }
    }

    @Test func aRetryKeepsTheStateThatDestroyFirstFound() {
        var machine = Self.lifecycle(in: .preparing)
        _ = machine.onDestroy()
        machine.onDestroyFailed()
        _ = machine.onDestroy()
        #expect(machine.destroyedIn == .preparing)
    }
}
