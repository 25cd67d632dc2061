// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Kernel
import Services
import SystemPackage
import TestSupport
import Testing
import Wire

/// The known ways out of a container while it starts, each tried against the real daemon: what must fail fails, and
/// nothing of the host has changed. Races with a swapped directory (CVE-2021-30465, CVE-2024-45310) need a process that
/// sees the root while init works in it: Tests/InitTests/test_attacks.py has them. Not here, because no
/// request can ask for it yet: working directories (there too), sub-paths of volumes (CVE-2017-1002101), sysctls
/// (CVE-2022-0811).
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct StartAttackTests {
    /// Runs a script as root of a container of an image that was made as it is wanted.
    private func attack(
        _ script: String, image: (String) throws -> Void = { _ in },
        _ check: (RunningProgram.Result, RealDaemon) async throws -> Void
    ) async throws {
        try await RealDaemon.run { daemon in
            let root = daemon.directory + "/hostile"
            try RootFileSystem.make(at: root)
            try image(root)
            let imported = try await daemon.gantry("image", "import", root, "hostile")
            #expect(imported.code == 0, "\(imported)")
            let result = try await daemon.gantry("run", "hostile", "sh", "-c", script)
            try await check(result, daemon)
            #expect(daemon.leftovers().isEmpty)
            // Whoever comes next is served.
            let next = try await daemon.gantry("run", "busybox", "echo", "well")
            #expect(next == .init(code: 0, output: "well\n", error: ""))
        }
    }

    private func contents(_ path: String) throws -> [UInt8] {
        let directory = try Directory(FilePath(path).removingLastComponent().description)
        let name = FilePath(String(path.split(separator: "/").last ?? ""))
        return try #require(try directory.readFile(name, limit: 1 << 30))
    }

    /// CVE-2019-5736, CVE-2019-0204: the program that starts containers is replaced from inside of one.
    @Test func theInitProgramCannotBeReplaced() async throws {
        let program = try RunningProgram.directory() + "gantry-init"
        let before = try contents(program)
        let script = """
            for target in /proc/1/exe /proc/self/exe; do
                (echo evil > $target) 2>&1; (echo evil >> $target) 2>&1; dd if=/bin/sh of=$target conv=notrunc 2>&1
            done
            """
        try await attack(script) { result, _ in
            // Once by each of three ways for each of both; /proc/self/exe is busybox's, in the image's overlay.
            #expect(!result.output.contains("records out") || result.output.contains("Text file busy"))
            #expect(result.output.split(separator: "\n").count >= 3, "\(result)")
        }
        #expect(try contents(program) == before)
    }

    /// CVE-2024-21626: a descriptor of the host that was left open is a way out.
    @Test func noDescriptorOfTheHostIsOpen() async throws {
        try await attack("for f in /proc/1/fd/* /proc/self/fd/*; do echo \"$f $(ls -l $f 2>&1)\"; done") { result, _ in
            #expect(!result.output.contains("/proc/self/fd/4"), "\(result.output)")
            // pid 1 is not dumpable: not even its list can be read by what it supervises, or it holds its status file.
            for line in result.output.split(separator: "\n") where line.hasPrefix("/proc/1/fd/") {
                #expect(line.contains("Permission denied") || line.contains("No such file"), "\(line)")
            }
        }
    }

    private static func text(of output: LaunchedContainer.Output) async throws -> String {
        var bytes: [UInt8] = []
        while let next = try await output.next() { bytes += next.data?.data ?? [] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// CVE-2019-16884, CVE-2019-19921, CVE-2023-28642: the image has something else where /proc is to be.
    @Test(arguments: ["/tmp", "/etc", "../../../../proc"])
    func procAsALinkIsRefused(target: String) async throws {
        let image = { (root: String) in _ = try systemCall("symlink", root) { symlink(target, root + "/proc") } }
        try await attack("true", image: image) { result, _ in
            #expect(result.code == 125, "\(result)")
            #expect(result.error.contains("/proc") && result.error.contains("ELOOP"), "\(result.error)")
        }
    }

    /// CVE-2025-31133: the image brings its own /dev/null, as a link to what it wants to have uncovered.
    @Test func masksAreTheHostsNullDevice() async throws {
        let image = { (root: String) in
            try Directory.createIfMissing(root + "/dev", mode: 0o755)
            _ = try systemCall("symlink", root) { symlink("/proc/keys", root + "/dev/null") }
        }
        let script =
            "ls -l /dev/null /proc/keys /proc/timer_list; head -c 10 /proc/kcore; (echo 1 > /proc/sys/vm/panic_on_oom) 2>&1"
        try await attack(script, image: image) { result, _ in
            for line in result.output.split(separator: "\n").prefix(3) {
                #expect(line.hasPrefix("crw-rw-rw-") && line.contains("1,   3"), "\(line)")
            }
            #expect(result.output.contains("Read-only file system"), "\(result.output)")
        }
    }

    /// CVE-2022-29162: what a container's files could inherit.
    @Test func nothingIsInheritable() async throws {
        try await attack("cat /proc/self/status") { result, _ in
            for name in ["CapInh", "CapAmb"] { #expect(result.output.contains("\(name):\t0000000000000000")) }
            #expect(result.output.contains("NoNewPrivs:\t1"))
        }
    }

    /// CVE-2022-0492, CVE-2023-25809: cgroup files of the host within reach of a container.
    @Test func cgroupsAreReadOnlyAndOnlyItsOwn() async throws {
        let script = """
            find() { for f in "$1"/*; do echo "$f"; [ -d "$f" ] && [ ! -L "$f" ] && find "$f"; done; }
            for f in $(find /sys/fs/cgroup); do
                case $f in */release_agent) echo "agent $f";; esac
                case $f in */cgroup.procs) (echo 1 > $f) 2>/dev/null && echo "wrote $f";; esac
            done
            mount -t cgroup -o memory none /tmp 2>&1; mkdir /sys/fs/cgroup/memory/x 2>&1; echo end
            """
        try await attack(script) { result, _ in
            #expect(result.code == 0 && result.output.hasSuffix("end\n"), "\(result)")
            #expect(!result.output.contains("agent ") && !result.output.contains("wrote "), "\(result.output)")
        }
    }

    /// CVE-2021-43784: a plan of a size that a length field could not hold.
    @Test func aPlanThatIsTooLargeIsAnError() async throws {
        try await attack("true") { _, daemon in
            let image = Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: "hostile"))
            let config = Mesos.Slave.ContainerConfig(
                directory: "",
                commandInfo: .init(
                    value: "/bin/true", shell: false,
                    arguments: ["true"] + [String](repeating: String(repeating: "x", count: 100_000), count: 38)),
                containerInfo: .init(type: .mesos, mesos: .init(image: image)))
            // More than execve(2) takes, less than a frame holds.
            let container = try await daemon.client.launch(
                .init(containerID: .init(value: "large"), containerConfig: config))
            let termination = try await container.termination()
            #expect(termination?.status != 0)
            #expect(termination?.message?.contains("E2BIG") == true, "\(String(describing: termination))")
        }
    }

    /// CVE-2024-3154: labels and names never reach a file of the kernel.
    @Test func labelsAreWords() async throws {
        try await attack("true") { _, daemon in
            let image = Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: "hostile"))
            let label = Mesos.Label(key: "memory.limit_in_bytes", value: "-1\n/../../x")
            let executor = Mesos.ExecutorInfo(
                executorID: .init(value: "../../executor"), name: "../../name", labels: .init(labels: [label]))
            let config = Mesos.Slave.ContainerConfig(
                directory: "", executorInfo: executor,
                commandInfo: .init(value: "cat /sys/fs/cgroup/memory*/memory.limit_in_bytes /sys/fs/cgroup/memory.max"),
                containerInfo: .init(type: .mesos, mesos: .init(image: image)),
                resources: [.init(name: "mem", type: .scalar, scalar: .init(value: 64))],
                limits: ["mem": .init(value: 64)])
            let container = try await daemon.client.launch(
                .init(containerID: .init(value: "labels"), containerConfig: config), attaching: true)
            let output = try await Self.text(of: try #require(container.output))
            _ = try await container.termination()
            #expect(output.contains("67108864"), "\(output)")
        }
    }
}
