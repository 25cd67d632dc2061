// SPDX-License-Identifier: Apache-2.0

/// The life cycle of one container as a pure state machine: no clock, no task, no log. Each `on…` takes one event,
/// changes the state at most once and says what follows (containerizer.md 3.1).
///
///     provisioning -> preparing -> isolating -> fetching -> running
///          |              |            |            |          |
///          +--------------+------------+------------+----------+--> destroying -> (gone)
///                                                                    |      ^
///                                                                    v      |
///                                                                  destroyFailed
public struct Lifecycle: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        case provisioning, preparing, isolating, fetching, running, destroying, destroyFailed

        /// The state that follows in a launch that nobody disturbs.
        fileprivate var next: State? {
            switch self {
            case .provisioning: .preparing
            case .preparing: .isolating
            case .isolating: .fetching
            case .fetching: .running
            case .running, .destroying, .destroyFailed: nil
            }
        }
    }

    public private(set) var state: State

    /// The state in which destroy found the container: what has to be undone follows from it.
    public private(set) var destroyedIn: State?

    public init() {
        state = .provisioning
    }

    /// A container that is found rather than launched counts as running.
    init(adopted: Void) {
        state = .running
    }

    public enum OnStepDone: Sendable, Hashable {
        /// The launch goes on in this state.
        case proceed(State)
        /// Destroy came first; the launch must stop.
        case overtaken
        /// The launch had ended before: a programming error that must not crash the daemon.
        case invalid
    }

    /// The launch finished what its state stands for.
    public mutating func onStepDone() -> OnStepDone {
        switch state {
        case .destroying, .destroyFailed: return .overtaken
        case .running: return .invalid
        case .provisioning, .preparing, .isolating, .fetching:
            guard let next = state.next else { return .invalid }
            state = next
            return .proceed(next)
        }
    }

    public enum OnDestroy: Sendable, Hashable {
        /// Start the teardown.
        case begin
        /// One is under way; wait for it.
        case join
        /// An earlier one failed; run it again.
        case retry
    }

    public mutating func onDestroy() -> OnDestroy {
        switch state {
        case .destroying: return .join
        case .destroyFailed:
            state = .destroying
            return .retry
        case .provisioning, .preparing, .isolating, .fetching, .running:
            destroyedIn = state
            state = .destroying
            return .begin
        }
    }

    /// A teardown is under way or has failed: nothing may begin in the container.
    public var isEnding: Bool {
        state == .destroying || state == .destroyFailed
    }

    /// A teardown ended with at least one step failed. The container stays, and can be destroyed again.
    public mutating func onDestroyFailed() {
        if state == .destroying { state = .destroyFailed }
    }

    /// Whether a teardown must clean up after isolators: not if none was ever asked to prepare.
    public var isolatorsWereAsked: Bool {
        destroyedIn != .provisioning
    }
}
