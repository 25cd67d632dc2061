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

    /// What is the same for all containers: in version 1 a directory on `/sys/fs/cgroup` for each mount, by its last
    /// name, and a link for each controller that shares the mount under another name.
    var sharedViewSteps: [Gantry.Init.V1.Step.Kind] {
        isVersion2 ? [] : roots.flatMap { cgroup in Self.place(of: mount(of: cgroup, layout.root), in: mounts) }
    }

    private static func place(
        of mount: CgroupDirectory, in mounts: CgroupMounts
    ) -> [Gantry.Init.V1.Step.Kind] {
        let links = mounts.hierarchies.filter { $0.value == mount.path && $0.key != mount.name }.keys.sorted()
        return [.directory("\(place)/\(mount.name)", mode: 0o755)]
            + links.map { .symbolicLink(to: mount.name, path: "\(place)/\($0)") }
    }

    /// What is the container's own: `<mount>/<root>/<id>` on those directories, or the one of version 2.
    func viewSteps(_ id: Mesos.ContainerID) -> [Gantry.Init.V1.Step.Kind] {
        if let leaf = leaf(id) {
            return [
                .cgroupNamespace(.init()),
                .bind(source: leaf.path, target: Self.place, recursive: true, attributes: Self.attributes),
            ]
        }
        let name = layout.path(id)
        return limits(id).map { cgroup in
            .bind(
                source: cgroup.path, target: "\(Self.place)/\(mount(of: cgroup, name).name)", recursive: true,
                attributes: Self.attributes)
        }
    }

    /// The mount point that `name` was appended to.
    private func mount(of cgroup: CgroupDirectory, _ name: String) -> CgroupDirectory {
        CgroupDirectory(String(cgroup.path.dropLast(name.utf8.count + 1)))
    }
}
