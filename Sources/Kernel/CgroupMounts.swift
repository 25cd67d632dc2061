// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// Where this machine has its cgroup hierarchies.
public struct CgroupMounts: Sendable, Hashable {
    public enum Mode: Sendable, Hashable {
        /// cgroup2 at the standard place: all controllers there.
        case v2
        /// Controllers in version 1 hierarchies, and a cgroup2 beside them that has none: good for tracking processes
        /// and for cgroup.kill.
        case hybrid
        /// Version 1 only.
        case v1
    }

    public var mode: Mode
    /// Mount points of version 1 hierarchies by controller; co-mounted controllers share one. Named hierarchies without
    /// a controller are listed as "name=systemd".
    public var hierarchies: [String: String]
    /// The mount point of cgroup2.
    public var unified: String?

    public init(mode: Mode, hierarchies: [String: String], unified: String?) {
        self.mode = mode
        self.hierarchies = hierarchies
        self.unified = unified
    }

    /// - Parameter standard: where cgroup2 has to be mounted to count as the whole cgroup tree.
    /// - Returns: nil when no cgroup file system is mounted at all.
    public init?(_ table: MountTable, standard: String = "/sys/fs/cgroup") {
        var hierarchies: [String: String] = [:]
        var unified: String?
        for mount in table.entries {
            switch mount.type {
            case "cgroup":
                // The first mount of a hierarchy is the system's; later ones are views inside somebody's container.
                for option in mount.superOptions where Self.isSubsystem(option) && hierarchies[option] == nil {
                    hierarchies[option] = mount.target
                }
            case "cgroup2":
                if unified == nil || mount.target == standard { unified = mount.target }
            default: break
            }
        }
        self.hierarchies = hierarchies
        self.unified = unified
        if let unified, unified == standard {
            mode = .v2
        } else if hierarchies.isEmpty {
            return nil
        } else {
            mode = unified == nil ? .v1 : .hybrid
        }
    }

    /// The calling process's view.
    public static func detect(standard: String = "/sys/fs/cgroup") throws(SystemError) -> CgroupMounts {
        guard let mounts = CgroupMounts(try .read(), standard: standard) else {
            throw SystemError("find", "a mounted cgroup file system", .noSuchFileOrDirectory)
        }
        return mounts
    }

    /// The directory of cgroup `name` (no slash at its start) for a controller. In mode v2 they all share the one tree.
    public func directory(_ controller: String, _ name: String) -> CgroupDirectory? {
        let mount = mode == .v2 ? unified : hierarchies[controller]
        return mount.map { CgroupDirectory("\($0)/\(name)") }
    }

    /// Among a hierarchy's super block options, what is not a controller (cgroups(7), cgroup-v1 documentation).
    private static func isSubsystem(_ option: String) -> Bool {
        let flags: Set<String> = [
            "rw", "ro", "none", "noprefix", "clone_children", "xattr", "cpuset_v2_mode", "favordynmods",
        ]
        return !flags.contains(option) && !option.hasPrefix("release_agent=")
    }
}
