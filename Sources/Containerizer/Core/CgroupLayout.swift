// SPDX-License-Identifier: Apache-2.0

public import Wire

/// The names of containers' cgroups, relative to a hierarchy's mount point. Pure text.
///
/// ```
/// <root>/<id>                       limits; in version 1 also the processes
/// <root>/<id>/leaf                  version 2: the processes, because a cgroup with controllers below it holds none
/// <root>/<id>/mesos/<child>         a nested container, and so on
/// ```
///
/// The word between parent and child tells a container's cgroup from one that its workload made (isolators.md 3.1, 4.2).
public struct CgroupLayout: Sendable, Hashable {
    /// Gantry's own cgroup, of one or more segments, without a slash at either end.
    public let root: String
    private let segments: [Substring]

    static let separator = "mesos"
    static let leafName = "leaf"

    /// - Throws: `cgroup.invalid-root`, kind `invalidArgument`, for an empty name, an empty or dotted segment.
    public init(root: String) throws(ContainerError) {
        var trimmed = root[...]
        if trimmed.hasPrefix("/") { trimmed.removeFirst() }
        if trimmed.hasSuffix("/") { trimmed.removeLast() }
        segments = trimmed.split(separator: "/", omittingEmptySubsequences: false)
        guard segments.allSatisfy(Self.isUsable) else {
            throw ContainerError(
                .invalidArgument, code: "cgroup.invalid-root", "\"\(root)\" cannot be the name of a cgroup",
                step: "reading the configuration", subject: "cgroups-root",
                hint: "give a relative path such as \"gantry\", without empty segments, \".\" and \"..\"")
        }
        self.root = String(trimmed)
    }

    /// The cgroup that holds the container's limits. The id has been validated.
    public func path(_ id: Mesos.ContainerID) -> String {
        "\(root)/" + id.segments.joined(separator: "/\(Self.separator)/")
    }

    /// The cgroup that holds the container's processes in version 2.
    public func leaf(_ id: Mesos.ContainerID) -> String {
        "\(path(id))/\(Self.leafName)"
    }

    /// The container that a cgroup belongs to, either as its own or as its leaf; nil for every other cgroup: the root,
    /// a separator, what a workload made below its leaf, and what is not below the root at all (containerizer.md Q11).
    public func container(at path: String) -> Mesos.ContainerID? {
        let all = path.split(separator: "/", omittingEmptySubsequences: true)
        guard all.count > segments.count, all.starts(with: segments) else { return nil }
        var names = all.dropFirst(segments.count)
        if names.count.isMultiple(of: 2), let last = names.last, last == Self.leafName { names.removeLast() }
        guard !names.count.isMultiple(of: 2) else { return nil }

        var id: Mesos.ContainerID?
        for (position, name) in names.enumerated() {
            if position.isMultiple(of: 2) {
                id = Mesos.ContainerID(value: String(name), parent: id)
            } else if name != Self.separator {
                return nil
            }
        }
        // A name that no container may have is not ours.
        guard let id, (try? id.validate()) != nil else { return nil }
        return id
    }

    private static func isUsable(_ segment: Substring) -> Bool {
        !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }
}
