// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import SystemPackage

/// The open files that a new container's first process gets, in the order of docs/protocol.md. Closed with the value.
final class ForkFiles: Sendable {
    private let status: Descriptor
    private let input: Descriptor
    private let output: Descriptor
    private let error: Descriptor
    /// The cgroup2 directory to be born into; a raw number, or nil.
    let cgroup: Int32?
    /// The `tasks` files of the version 1 cgroups to join.
    let tasks: [Int32]

    /// Opens everything. Blocks.
    init(_ request: ForkRequest, tracking: TrackingCgroup) throws {
        status = try Self.open(request.statusFile, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        input = try Self.open("/dev/null", O_RDONLY)
        output = try Self.openLog("stdout", in: request.sandbox)
        error = try Self.openLog("stderr", in: request.sandbox)
        var directories = request.cgroup1Directories
        switch tracking {
        case .bornInto(let directory):
            cgroup = try Self.open(directory.path, O_DIRECTORY | O_RDONLY).release()
        case .joins(let directory):
            cgroup = nil
            directories.insert(directory.path, at: 0)
        }
        var opened: [Int32] = []
        do {
            for directory in directories { opened.append(try Self.open(directory + "/tasks", O_WRONLY).release()) }
        } catch {
            for raw in opened + [cgroup].compactMap({ $0 }) { close(raw) }
            throw error
        }
        tasks = opened
    }

    deinit {
        for raw in tasks { close(raw) }
        if let cgroup { close(cgroup) }
    }

    /// - Parameter parent: the pidfd of the process whose namespaces are entered.
    func descriptors(entering parent: Int32?) -> [Int32] {
        [status.raw, input.raw, output.raw, error.raw] + [cgroup, parent].compactMap { $0 } + tasks
    }

    private static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> Descriptor {
        Descriptor(owning: try systemCall("open", path) { Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode) })
    }

    /// A container may have put anything in its sandbox under this name: only a plain file is written to, and it belongs
    /// to whom the sandbox belongs to.
    private static func openLog(_ name: FilePath, in sandbox: Directory) throws -> Descriptor {
        let path = sandbox.subject(name)
        let file = try sandbox.open(
            name, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, mode: 0o644)
        let information = try FileInformation(of: file, path: path)
        guard information.kind == .regular else {
            throw ContainerError(
                .failedPrecondition, code: "sandbox.log-is-no-file", "\(path) is not a regular file", step: "fork",
                subject: path, hint: "remove it, or use another sandbox")
        }
        let owner = try sandbox.information()
        if information.userID != owner.userID {
            try file.setOwner(user: owner.userID, group: owner.groupID, path: path)
        }
        _ = fcntl(file.raw, F_SETFL, O_APPEND)
        return file
    }
}
