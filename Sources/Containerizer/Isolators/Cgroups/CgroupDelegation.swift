// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import SystemPackage

/// Version 2 gives a cgroup the files of a controller only when the parent enables it, and the parent's parent, and so
/// on up to the mount point (isolators.md 4.1).
struct CgroupDelegation: Sendable {
    /// The mount point.
    let mount: CgroupDirectory
    /// Controllers that the kernel enables level by level.
    let controllers: [String]

    /// The controllers that the mount point can enable at all.
    static func available(at mount: CgroupDirectory) throws -> Set<String> {
        words(try mount.read("cgroup.controllers"))
    }

    /// Enables the controllers from the mount point down to `cgroup`, which must exist, so that cgroups below it have
    /// them. Costs one read when that was done before.
    ///
    /// - Throws: `cgroup.internal-processes` when a cgroup on the way holds processes: the kernel lets only the root
    ///   have both processes and controllers below it.
    func enable(downTo cgroup: CgroupDirectory) throws {
        guard !controllers.isEmpty, try !isEnabled(cgroup) else { return }
        var level = mount
        try enable(at: level)
        for segment in cgroup.path.dropFirst(mount.path.count).split(separator: "/") {
            level = level.child(String(segment))
            try enable(at: level)
        }
    }

    /// Enables the controllers for the children of this one cgroup, whose ancestors have them.
    func enable(at cgroup: CgroupDirectory) throws {
        let enabled = Self.words(try cgroup.read("cgroup.subtree_control"))
        let missing = controllers.filter { !enabled.contains($0) }
        guard !missing.isEmpty else { return }
        do {
            try cgroup.write("cgroup.subtree_control", missing.map { "+\($0)" }.joined(separator: " "))
        } catch {
            throw Self.explain(error, missing, cgroup)
        }
    }

    private static func explain(_ error: SystemError, _ missing: [String], _ cgroup: CgroupDirectory) -> any Error {
        guard error.errno == .resourceBusy else { return error }
        return ContainerError(
            .failedPrecondition, code: "cgroup.internal-processes",
            "cannot enable \(missing.joined(separator: ", ")) below \(cgroup.path): processes live in that cgroup",
            subject: cgroup.path, errno: error.errno.rawValue,
            hint: "move the processes to a cgroup of their own, or give Gantry another --cgroups-root")
    }

    private func isEnabled(_ cgroup: CgroupDirectory) throws -> Bool {
        let enabled = Self.words(try cgroup.read("cgroup.subtree_control"))
        return controllers.allSatisfy(enabled.contains)
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init))
    }
}
