// SPDX-License-Identifier: Apache-2.0
public import Client
public import Glibc
import Kernel
public import Reactor
import SystemPackage

/// The built `gantryd` on a root directory and a cgroup of its own, with the image `busybox` imported.
public final class RealDaemon {
    /// The directory of the test; `state` below it is the daemon's root.
    public let directory: String
    public var root: String { directory + "/state" }
    public var socket: String { directory + "/gantryd.sock" }
    public let cgroup: String
    public let reactor: Reactor
    public let client: GantryClient
    public private(set) var pid: pid_t = 0
    private var output: Int32 = -1
    private var mounted = false
    /// A program and its arguments that run the daemon. Before the start.
    public var wrapper: [String] = []

    public struct NotReady: Error {
        public var output: String
    }

    /// Runs the body with a daemon; afterwards stops it and checks that nothing is left of it.
    public static func run(
        _ body: (RealDaemon) async throws -> Void, prepare: (RealDaemon) throws -> Void = { _ in }
    ) async throws {
        let daemon = try RealDaemon()
        defer { daemon.discard() }
        try prepare(daemon)
        try await daemon.start()
        try RootFileSystem.make(at: daemon.directory + "/rootfs")
        let imported = try await daemon.gantry("image", "import", daemon.directory + "/rootfs", "busybox")
        guard imported.code == 0 else { throw NotReady(output: imported.error) }
        try await body(daemon)
        if daemon.pid != 0 { try await daemon.stop() }
        guard daemon.leftovers().isEmpty else { throw NotReady(output: "\(daemon.leftovers())") }
    }

    private init() throws {
        var template = Array("/tmp/gantry-test-XXXXXX\0".utf8CString)
        directory = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        chmod(directory, 0o755)
        cgroup = String(directory.dropFirst("/tmp/".count))
        reactor = try Reactor(name: "test")
        try reactor.start()
        client = GantryClient(host: HostAddress(path: directory + "/gantryd.sock"))
    }

    /// Starts it and returns when it says that it is ready.
    public func start() async throws {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe") { pipe(&ends) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, directory + "/log", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let program = try RunningProgram.directory() + "gantryd"
        let arguments = [
            "gantryd", "--root", root, "--host", "unix://" + socket, "--cgroup-root", cgroup, "--log-level", "debug",
        ]
        let commandLine = wrapper.isEmpty ? arguments : wrapper + [program] + arguments.dropFirst()
        var words = commandLine.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var environment = [strdup("DAEMON_SECRET=1"), nil]
        defer { for word in environment { free(word) } }
        let code = posix_spawn(&pid, wrapper.first ?? program, &actions, nil, &words, &environment)
        close(ends[1])
        if output >= 0 { close(output) }
        output = ends[0]
        guard code == 0 else { throw SystemError("posix_spawn", program, Errno(rawValue: code)) }

        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !text.contains(UInt8(ascii: "\n")) {
            let raw = output
            try await reactor.readable(raw)
            let count = try systemCall("read") { read(raw, &buffer, buffer.count) }
            guard count > 0 else { throw NotReady(output: log()) }
            text += buffer[..<count]
        }
    }

    /// Runs `gantry` against it, to the end.
    public func gantry(_ arguments: String...) async throws -> RunningProgram.Result {
        try await gantry(arguments)
    }

    public func gantry(_ arguments: [String], wrapper: [String] = []) async throws -> RunningProgram.Result {
        try await RunningProgram(arguments, host: socket, wrapper: wrapper).finish(on: reactor)
    }

    /// Stops it cleanly.
    public func stop() async throws {
        try await end(with: SIGTERM)
    }

    /// Kills it on the spot.
    public func crash() async throws {
        try await end(with: SIGKILL)
    }

    private func end(with signal: Int32) async throws {
        await client.disconnect()
        let process = try ProcessDescriptor(pid: pid)
        try process.signal(signal)
        try await reactor.readable(process.raw)
        guard case .ended(let status) = try process.reap(), status == 0 || signal == SIGKILL else {
            throw NotReady(output: "gantryd ended badly\n" + log())
        }
        pid = 0
    }

    /// Gives it a small file system of its own for its root. Before the start.
    public func mountRoot(megabytes: Int) throws {
        let root = root
        try Directory.createIfMissing(root, mode: 0o711)
        try systemCall("mount", root) { mount("tmpfs", root, "tmpfs", 0, "size=\(megabytes)m") }
        mounted = true
    }

    /// What it wrote to standard error.
    public func log() -> String {
        (try? ControlFile.read(directory + "/log")) ?? ""
    }

    /// Everything of containers that is still on this machine: directories, cgroups, mounts and processes.
    public func leftovers() -> [String] {
        var found: [String] = []
        for parent in ["run/containers", "sandboxes", "provisioner/containers", "images/staging"] {
            found += entries(root + "/" + parent)
        }
        if let mounts = try? CgroupMounts.detect() {
            for mount in Set(mounts.hierarchies.values).union([mounts.unified].compactMap { $0 }) {
                found += (try? CgroupDirectory("\(mount)/\(cgroup)").descendants().map(\.path)) ?? []
            }
        }
        let table = (try? ControlFile.read("/proc/self/mountinfo")) ?? ""
        found += table.split(separator: "\n").filter { $0.contains(root + "/") }.map(String.init)
        for entry in entries("/proc") {
            let cgroups = (try? ControlFile.read(entry + "/cgroup")) ?? ""
            guard cgroups.contains("/\(cgroup)/") else { continue }
            // Without memory it is gone but for the record, which its parent may take when it likes: after a crash not
            // ours. The first process of a pid namespace waits until that has happened to all the others.
            let memory = (try? ControlFile.read(entry + "/statm"))?.split(separator: " ").first
            if memory != "0" { found.append("process \(entry)") }
        }
        return found
    }

    private func entries(_ path: String) -> [String] {
        guard let directory = try? Directory(path), let names = try? directory.names() else { return [] }
        return names.map { "\(path)/\($0)" }
    }

    /// Whatever became of the test: no process and no directory of it stays.
    private func discard() {
        if pid != 0 {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        // Only a daemon that had to be killed leaves its own cgroup.
        if let mounts = try? CgroupMounts.detect() {
            for mount in Set(mounts.hierarchies.values).union([mounts.unified].compactMap { $0 }) {
                try? CgroupDirectory("\(mount)/\(cgroup)").removeTree(deadline: .now + .seconds(1))
            }
        }
        if mounted { umount2(root, Int32(MNT_DETACH)) }
        if output >= 0 { close(output) }
        client.close()
        reactor.stop()
        reactor.join()
        let name = FilePath(String(directory.dropFirst("/tmp/".count)))
        if let temporary = try? Directory("/tmp") { _ = try? temporary.removeTree(name) }
    }
}
