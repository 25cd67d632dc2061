// SPDX-License-Identifier: Apache-2.0

public import Kernel
public import Wire

/// Turns an image into a root file system for one container (provisioner.md).
public protocol Provisioner: Sendable {
    /// Makes the directories that the root needs; nothing is mounted on the host. Cancellable.
    func provision(_ id: Mesos.ContainerID, _ image: Mesos.Image) async throws -> Provisioned

    /// The root file system of a provisioned container as its image has it, read-only and mounted nowhere.
    func openRoot(_ id: Mesos.ContainerID) async throws -> Directory

    /// Removes what `provision` made, also half of it. False when there was nothing. Idempotent.
    func destroy(_ id: Mesos.ContainerID) async throws -> Bool

    /// Once at start-up: removes what was provisioned for containers that are not in `known`, and what an interrupted
    /// import left.
    func recover(known: [Mesos.ContainerID]) async throws
}

public struct Provisioned: Sendable {
    /// The host path that becomes `ContainerConfig.rootfs`; the root is mounted on it in the container's own mount
    /// namespace only.
    public var rootfs: String
    /// The step that mounts the root there.
    public var root: Gantry.Init.V1.Step.Kind
    /// Writable directories that count towards the container's disk quota.
    public var ephemeralVolumes: [String]

    public init(rootfs: String, root: Gantry.Init.V1.Step.Kind, ephemeralVolumes: [String]) {
        self.rootfs = rootfs
        self.root = root
        self.ephemeralVolumes = ephemeralVolumes
    }
}
