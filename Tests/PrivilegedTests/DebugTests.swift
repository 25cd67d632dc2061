// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Kernel
import Services
import TestSupport
import Testing
import Wire

/// `gantry exec`: DEBUG containers, against the real daemon.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct DebugTests {
    /// Runs the body with a container `web` that runs `script`.
    private func web(_ script: String = "exec sleep 1000", _ body: (RealDaemon) async throws -> Void) async throws {
        try await RealDaemon.run { daemon in
            let started = try await daemon.gantry(
                "run", "--detach", "--name", "web", "--hostname", "front", "--workdir", "/srv/work", "--env",
                "A=parent",
                "--env", "B=parent", "busybox", "sh", "-c", script)
            #expect(started.code == 0, "\(started)")
            try await body(daemon)
            #expect(try await daemon.gantry("destroy", "web").code == 0)
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
        }
    }

    @Test func itIsWhereItsParentIs() async throws {
        try await web("echo 1 > /only-here; exec sleep 1000") { daemon in
            let script = """
                hostname; cat /only-here; echo $PWD; echo $A $B $MESOS_SANDBOX; cat /proc/1/comm; ls /proc/self/fd | tr '\\n' ' '
                """
            let result = try await daemon.gantry("exec", "--env", "B=own", "web", "--", "sh", "-c", script)
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(result.code == 0, "\(result)")
            #expect(
                lines.prefix(5) == ["front", "1", "/srv/work", "parent own /mnt/mesos/sandbox", "gantry-init"],
                "\(result)")
            #expect(lines.last == "0 1 2 3 ", "and the directory that ls reads")
            #expect(!result.output.contains("DAEMON_SECRET"))
        }
    }

    @Test func theExitCodeAndTheOutputArePassedOn() async throws {
        try await web { daemon in
            let result = try await daemon.gantry("exec", "web", "sh", "-c", "echo out; echo err >&2; exit 42")
            #expect(result == .init(code: 42, output: "out\n", error: "err\n"))
            #expect(try await daemon.gantry("exec", "web", "sh", "-c", "kill -9 $$").code == 137)
            #expect(try await daemon.gantry("exec", "web", "no-such-program").code == 127)
            #expect(try await daemon.gantry("exec", "web", "/etc").code == 126)
            #expect(try await daemon.gantry("exec", "nobody", "true").code == 125)
            #expect(try await daemon.gantry("exec", "web").code == 64)
            // Nothing of them stays.
            let names = try Directory(daemon.root + "/run/containers/web/containers").names()
            #expect(names.isEmpty)
            #expect(try await daemon.gantry("ps", "--quiet").output == "web\n")
        }
    }

    @Test func itActsOnItsParent() async throws {
        try await web("trap 'echo told > /told; exit 5' TERM; sleep 1000 & wait") { daemon in
            let client = daemon.client
            let waiting = Task { try await client.containers.wait(.init(containerID: .init(value: "web"))) }
            // The first process is the supervisor, which passes the signal on.
            let result = try await daemon.gantry("exec", "web", "sh", "-c", "kill -TERM 1; exec sleep 1000")
            #expect(result.code == 137, "it ends with its parent: \(result)")
            let termination = try await waiting.value.termination
            #expect(termination?.status == 5 << 8)
            _ = try await daemon.gantry("run", "--detach", "--name", "web", "busybox", "sleep", "1000")
        }
    }

    /// A descendant with a mount namespace of its own is not the parent.
    @Test func itEntersTheParentsFirstProcess() async throws {
        try await RealDaemon.run { daemon in
            let started = try await daemon.gantry(
                "run", "--detach", "--name", "web", "--cap", "SYS_ADMIN", "busybox", "sh", "-c",
                "unshare -m sh -c 'mount -t tmpfs none /mnt; touch /mnt/hidden; exec sleep 1000' & wait")
            #expect(started.code == 0)
            let result = try await daemon.gantry("exec", "web", "sh", "-c", "ls /mnt; ls -d /mnt/hidden")
            #expect(!result.output.contains("hidden"), "\(result)")
            #expect(try await daemon.gantry("destroy", "web").code == 0)
        }
    }

    /// The executor of a command task stays on the host's file system; its task is somewhere else.
    @Test func itEntersTheTaskOfACommandTask() async throws {
        try await RealDaemon.run { daemon in
            let script =
                "unshare -m /bin/sh -c 'mount -t tmpfs none /mnt; echo here > /mnt/task; echo up; exec sleep 1000' & wait"
            var config = Mesos.Slave.ContainerConfig(directory: "", commandInfo: .init(value: script))
            config.taskInfo = .init(name: "t", taskID: .init(value: "t"), slaveID: .init(value: "s"))
            config.containerInfo = .init(
                type: .mesos,
                linuxInfo: .init(effectiveCapabilities: .init(capabilities: [.sysAdmin, .dacOverride])))
            let container = try await daemon.client.launch(
                .init(containerID: .init(value: "web"), containerConfig: config), attaching: true)
            #expect(try await container.output?.next()?.data?.data == Array("up\n".utf8))
            let result = try await daemon.gantry("exec", "web", "cat", "/mnt/task")
            #expect(result == .init(code: 0, output: "here\n", error: ""))
            #expect(access("/mnt/task", F_OK) != 0, "nothing of it is on the host")
            #expect(try await daemon.gantry("destroy", "web").code == 0)
        }
    }

    @Test func usersByNameAreThoseOfTheContainer() async throws {
        try await web(
            "echo 'www:x:123:45:::' >> /etc/passwd; echo 'extra:x:77:www' >> /etc/group; echo up; exec sleep 1000"
        ) {
            daemon in
            let logs = try await daemon.client.containers.output(of: .init(value: "web"))
            #expect(try await logs.next()?.data?.data == Array("up\n".utf8))
            let result = try await daemon.gantry("exec", "--user", "www", "web", "sh", "-c", "id -u; id -g; id -G")
            #expect(result == .init(code: 0, output: "123\n45\n45 77\n", error: ""))
            let unknown = try await daemon.gantry("exec", "--user", "nobody-at-all", "web", "true")
            #expect(unknown.code == 125 && unknown.error.contains("no user nobody-at-all"), "\(unknown)")
        }
    }

    /// CVE-2016-9962: a container must not get at what enters it.
    @Test func whatEntersCannotBeTraced() async throws {
        try await web("exec sleep 1000") { daemon in
            let held = try await daemon.client.launch(
                .init(
                    containerID: .init(value: "held", parent: .init(value: "web")),
                    containerConfig: .init(
                        directory: "", commandInfo: .init(value: "exec sleep 1000"), containerClass: .debug)))
            #expect(held.result == .success)
            let script = """
                for p in /proc/[0-9]*; do
                    read -r name < $p/comm
                    [ "$name" = gantry-init ] || continue
                    echo init
                    cat $p/environ 2>/dev/null
                    for f in $p/fd/* $p/exe $p/root $p/cwd $p/ns/mnt; do readlink $f; done
                done; true
                """
            let result = try await daemon.gantry("exec", "web", "sh", "-c", script)
            #expect(result == .init(code: 0, output: "init\ninit\ninit\n", error: ""))
            _ = try await daemon.client.containers.destroy(.init(containerID: held.id))
        }
    }
}
