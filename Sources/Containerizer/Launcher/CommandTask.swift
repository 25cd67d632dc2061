// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import SystemPackage

/// The process that the executor of a command task runs in a mount namespace of its own: what a DEBUG container of that
/// task enters (containerizer.md 3.9.2).
///
///     first process -> executor -> task
///                      (its mount namespace)   (another one)
final class CommandTask: Sendable {
    private let process: ProcessDescriptor

    /// For entering its namespaces.
    var descriptor: Int32 { process.raw }

    private init(_ process: consuming ProcessDescriptor) {
        self.process = process
    }

    /// Nil when the task has no mount namespace of its own. What ends during the search is not found.
    ///
    /// - Throws: `launch.no-task` when the executor runs nothing, `launch.several-tasks`.
    static func find(below first: Int32) throws -> CommandTask? {
        let outside = try mountNamespace(of: first)
        // A child in another namespace is not the executor.
        let executors = children(of: first).filter { (try? mountNamespace(of: $0)) == outside }
        let below = executors.flatMap(children)
        guard !below.isEmpty else { throw failure("no-task", "the executor does not run its task yet", first) }
        let tasks = below.filter { pid in (try? mountNamespace(of: pid)).map { $0 != outside } ?? false }
        guard tasks.count <= 1 else {
            throw failure(
                "several-tasks", "the executor runs several processes in mount namespaces of their own", first)
        }
        guard let pid = tasks.first else { return nil }
        let process = try ProcessDescriptor(pid: pid)
        // With the descriptor in hand the number means that process, which is still the one that was found.
        guard try mountNamespace(of: pid) != outside else {
            throw failure("no-task", "the task ended just now", first)
        }
        return CommandTask(process)
    }

    private static func mountNamespace(of pid: Int32) throws(SystemError) -> [UInt8] {
        try Directory("/proc/\(pid)/ns").linkText("mnt")
    }

    /// Of all its threads; none for a process that has ended.
    private static func children(of pid: Int32) -> [Int32] {
        let threads = (try? Directory("/proc/\(pid)/task").names()) ?? []
        return threads.flatMap { thread in
            ((try? ControlFile.read("/proc/\(pid)/task/\(thread)/children")) ?? "").split(separator: " ")
        }.compactMap { Int32($0) }
    }

    private static func failure(_ code: String, _ message: String, _ pid: Int32) -> ContainerError {
        ContainerError(
            .failedPrecondition, code: "launch.\(code)", message, step: "fork", subject: "pid \(pid)",
            hint: "try again when the task runs")
    }
}
