// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// Which cgroups a container has on this machine: one in each version 1 hierarchy, or one pair in version 2.
struct CgroupPlacement: Sendable {
    let mounts: CgroupMounts
    let layout: CgroupLayout
    /// The names of the controllers in use.
    let controllers: [String]

    var isVersion2: Bool { mounts.mode == .v2 }

    /// Gantry's own cgroups, one a hierarchy.
    var roots: [CgroupDirectory] { directories(layout.root) }

    /// The cgroups that carry the container's limits, one a hierarchy.
    func limits(_ id: Mesos.ContainerID) -> [CgroupDirectory] { directories(layout.path(id)) }

    /// Where version 2 keeps the processes.
    func leaf(_ id: Mesos.ContainerID) -> CgroupDirectory? {
        mounts.unified.flatMap { isVersion2 ? CgroupDirectory("\($0)/\(layout.leaf(id))") : nil }
    }

    /// The cgroup in which a controller has its files for the container. Nil only if the controller is not mounted,
    /// which the start-up check rules out.
    func directory(_ controller: String, _ id: Mesos.ContainerID) -> CgroupDirectory? {
        mounts.directory(controller, layout.path(id))
    }

    func rootDirectory(_ controller: String) -> CgroupDirectory? {
        mounts.directory(controller, layout.root)
    }

    /// Co-mounted controllers share a directory, which counts once.
    private func directories(_ name: String) -> [CgroupDirectory] {
        if isVersion2 { return mounts.unified.map { [CgroupDirectory("\($0)/\(name)")] } ?? [] }
        var unique: [CgroupDirectory] = []
        for controller in controllers {
            if let directory = mounts.directory(controller, name), !unique.contains(directory) {
                unique.append(directory)
            }
        }
        return unique
    }
}

/// The view that a container with its own root gets: its own cgroups, read-only (CVE-2022-0492, CVE-2023-25809).
extension CgroupPlacement {
    private static let place = "/sys/fs/cgroup"
    private static let attributes: MountAttributes = [.readOnly, .noSetuid, .noDevices, .noExecute]

    func viewSteps(_ id: Mesos.ContainerID) -> [Gantry.Init.V1.Step.Kind] {
        if let leaf = leaf(id) {
            return [
                .cgroupNamespace(.init()),
                .bind(source: leaf.path, target: Self.place, recursive: true, attributes: Self.attributes),
            ]
        }
        return limits(id).flatMap { cgroup in view(cgroup, id) }
    }

    /// `<mount>/<root>/<id>` on `/sys/fs/cgroup/<mount's last name>`, and a link for each controller that shares the
    /// mount under another name.
    private func view(_ cgroup: CgroupDirectory, _ id: Mesos.ContainerID) -> [Gantry.Init.V1.Step.Kind] {
        let mount = CgroupDirectory(String(cgroup.path.dropLast(layout.path(id).count + 1)))
        let links = mounts.hierarchies.filter { $0.value == mount.path && $0.key != mount.name }.keys.sorted()
        return [
            .bind(
                source: cgroup.path, target: "\(Self.place)/\(mount.name)", recursive: true,
                attributes: Self.attributes)
        ] + links.map { .symbolicLink(to: mount.name, path: "\(Self.place)/\($0)") }
    }
}
