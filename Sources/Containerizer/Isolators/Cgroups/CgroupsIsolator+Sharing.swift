// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// Nested containers that stay in the cgroups of those around them (isolators.md 3.2 and 4.3).
extension CgroupsIsolator {
    /// What a container contributes that has no limits of its own; nil for one that has.
    ///
    /// In version 1 its processes join the cgroups of the nearest container around it that has some. In version 2 they
    /// live below that one, in cgroups without controllers, because a process is in one cgroup only and the launcher
    /// has to find them.
    func sharing(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig, within ancestors: [Mesos.Slave.ContainerConfig]
    ) throws -> Contribution? {
        guard let parent = id.parent, config.containerClass == .debug || config.sharesCgroups else { return nil }
        if let leaf = placement.leaf(id) { try createWithoutLimits(leaf) }

        let owner = Self.owner(from: parent, ancestors)
        let directories = placement.isVersion2 ? [] : placement.limits(owner).map(\.path)
        if config.containerClass == .debug {
            // The parent's view of /sys/fs/cgroup is there already.
            let hidesHost = placement.isVersion2 && ancestors.first?.rootfs != nil
            return Contribution(steps: hidesHost ? [.cgroupNamespace(.init())] : [], cgroup1Directories: directories)
        }
        let hasRoot = config.rootfs != nil
        return Contribution(
            launchInfo: .init(cloneNamespaces: hasRoot ? [Namespace.mount] : []),
            steps: hasRoot ? shared + placement.viewSteps(placement.isVersion2 ? id : owner) : [],
            cgroup1Directories: directories)
    }

    private func createWithoutLimits(_ leaf: CgroupDirectory) throws {
        guard let directory = leaf.parent, let separator = directory.parent else { return }
        try atOnce {
            try Self.create(directory, below: separator)
            try leaf.create()
        }
    }

    /// - Parameter ancestors: the configuration of `id` first.
    private static func owner(
        from id: Mesos.ContainerID, _ ancestors: [Mesos.Slave.ContainerConfig]
    ) -> Mesos.ContainerID {
        var owner = id
        for config in ancestors {
            guard let parent = owner.parent, config.containerClass == .debug || config.sharesCgroups else { break }
            owner = parent
        }
        return owner
    }

    /// Whether the container has limits of its own, by what is in the kernel.
    func ownsCgroups(_ id: Mesos.ContainerID) -> Bool {
        guard id.parent != nil else { return true }
        guard let cgroup = placement.limits(id).first else { return false }
        guard placement.isVersion2 else { return cgroup.exists }
        let enabled = try? cgroup.read("cgroup.subtree_control")
        return enabled?.contains { !$0.isWhitespace } ?? false
    }
}
