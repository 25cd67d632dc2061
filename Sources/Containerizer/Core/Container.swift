// SPDX-License-Identifier: Apache-2.0

import Wire

/// What the containerizer knows of one container. Owned by the `Containerizer` actor; never leaves it.
///
/// An operation that suspends looks its container up again by id, or holds the record only while the launch or the
/// teardown that owns it is running: a record is erased by its own teardown and by nothing else.
final class Container {
    let id: Mesos.ContainerID
    var config: Mesos.Slave.ContainerConfig
    var lifecycle = Lifecycle()
    var stateSince: WallTime
    var steps = StepLog()

    /// The launch in flight or finished. Destroy cancels it and awaits its end.
    var launch: Task<Void, any Error>?
    var launchInfo: Mesos.Slave.ContainerLaunchInfo?
    /// Of a container that is only planned.
    var plan: LaunchPlan?
    var process: (any ContainerProcess)?
    /// Ends when the first process is reaped: its wait status, by the rules of containerizer.md 3.12.
    var exit: Task<Int32?, any Error>?
    /// Settled when the output files exist and their writer does: right after the fork, or with the launch's error.
    let forked = Promise<Void>()
    /// Settled with nil when the command was executed, with the error when init failed before that; at the latest
    /// with the outcome.
    let started = Promise<ContainerError?>()
    var watches: [Task<Void, Never>] = []
    /// The containers directly inside of this one. They end before it does.
    var children: Set<Mesos.ContainerID> = []

    var requests: [Mesos.Resource]
    var limits: [String: Mesos.Value.Scalar]

    /// Settled when the container is gone, or its destruction failed. A retry gets a new one.
    var outcome = Promise<Mesos.Slave.ContainerTermination>()
    /// What the event that began the destruction already knew.
    var prefilled: Mesos.Slave.ContainerTermination?
    var destruction: Task<Void, Never>?
    /// The answer to the latest status request; the next one waits for it (containerizer.md 2.7).
    var lastStatus: Task<Mesos.ContainerStatus, Never>?

    /// The sandbox was made by the daemon and goes with the container.
    let ownsSandbox: Bool

    init(_ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, ownsSandbox: Bool, now: WallTime) {
        self.id = id
        self.config = config
        self.ownsSandbox = ownsSandbox
        self.requests = config.resources
        self.limits = config.limits
        self.stateSince = now
    }
}
