// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Kernel
import Services
import SystemPackage
import TestSupport
import Testing
import Wire

/// Containers inside of others, against the real daemon and the kernel.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct NestedTests {
    private func request(
        _ name: String, _ script: String = "echo up; exec sleep 1000", image: Bool = true,
        linux: Mesos.LinuxInfo? = nil,
        debug: Bool = false
    ) -> Gantry.V1.LaunchRequest {
        var config = Mesos.Slave.ContainerConfig(directory: "", commandInfo: Mesos.CommandInfo(value: script))
        config.containerInfo = .init(type: .mesos, linuxInfo: linux)
        if image && !debug {
            config.containerInfo?.mesos = .init(image: .init(type: .docker, docker: .init(name: "busybox")))
        }
        if debug { config.containerClass = .debug }
        return Gantry.V1.LaunchRequest(containerID: Self.id(name), containerConfig: config)
    }

    /// Launches a container that says `up`, and returns when it has: it has joined and mounted everything by then.
    private func start(_ request: Gantry.V1.LaunchRequest, _ daemon: RealDaemon) async throws {
        let container = try await daemon.client.launch(request, attaching: true)
        #expect(try await container.output?.next()?.data?.data == Array("up\n".utf8))
        container.output?.cancel()
        container.abandon()
    }

    private static func id(_ name: String) -> Mesos.ContainerID {
        name.split(separator: ".").reduce(Mesos.ContainerID?.none) {
            Mesos.ContainerID(value: String($1), parent: $0)
        } ?? Mesos.ContainerID(value: "")
    }

    private func pid(_ name: String, _ daemon: RealDaemon) async throws -> UInt64 {
        try await daemon.client.system.inspect(.init(containerID: Self.id(name))).container?.pid ?? 0
    }

    /// The inode numbers of a container's namespaces, by the names in /proc/PID/ns. On cgroup version 2 each container
    /// makes a cgroup namespace of its own, whatever it shares (docs/adr/0019).
    private func namespaces(_ name: String, _ daemon: RealDaemon) async throws -> [String: String] {
        let pid = try await pid(name, daemon)
        let directory = try Directory("/proc/\(pid)/ns")
        var found: [String: String] = [:]
        let hasCgroups = try CgroupMounts.detect().mode != .v2
        for kind in ["ipc", "mnt", "net", "pid", "uts"] + (hasCgroups ? ["cgroup"] : []) {
            found[kind] = String(decoding: try directory.linkText(FilePath(kind)), as: UTF8.self)
        }
        return found
    }

    /// The cgroups of a container's first process, by hierarchy.
    private func cgroups(_ name: String, _ daemon: RealDaemon) async throws -> [Substring: Substring] {
        let text = try ControlFile.read("/proc/\(try await pid(name, daemon))/cgroup")
        var found: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            found[parts[1]] = parts[2]
        }
        return found
    }

    private func differing(_ a: [String: String], _ b: [String: String]) -> Set<String> {
        Set(a.keys.filter { a[$0] != b[$0] })
    }

    @Test func threeLevelsHaveTheNamespacesOfTheContract() async throws {
        try await RealDaemon.run { daemon in
            try await start(request("a"), daemon)
            try await start(request("a.b"), daemon)
            try await start(request("a.b.c"), daemon)
            try await start(request("a.shared", linux: .init(sharePidNamespace: true)), daemon)
            try await start(request("a.private", linux: .init(ipcMode: .private)), daemon)
            try await start(request("a.host", image: false), daemon)
            try await start(request("a.b.debug", debug: true), daemon)
            let a = try await namespaces("a", daemon)
            let b = try await namespaces("a.b", daemon)
            let own = ["mnt", "pid"]
            #expect(differing(a, b) == Set(own))
            #expect(differing(b, try await namespaces("a.b.c", daemon)) == Set(own))
            #expect(differing(a, try await namespaces("a.shared", daemon)) == ["mnt"])
            #expect(differing(a, try await namespaces("a.private", daemon)) == ["mnt", "pid", "ipc"])
            #expect(differing(a, try await namespaces("a.host", daemon)) == Set(own))
            #expect(differing(b, try await namespaces("a.b.debug", daemon)) == [], "a DEBUG container has its parent's")

            // A pid namespace of its own lies below its parent's.
            let status = try ControlFile.read("/proc/\(try await pid("a.b.c", daemon))/status")
            let numbers = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?.split(separator: "\t")
            #expect(numbers?.count == 5, "one number for each level, and the host's: \(numbers ?? [])")
            #expect(numbers?.last == "1")
            let listed = try await daemon.client.containers.containers(.init()).containerIDs
            #expect(listed.count == 7)
            #expect(
                try await daemon.client.containers.destroy(.init(containerID: Self.id("a"))).termination?.status == 9)
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
        }
    }

    @Test func whatANestedContainerSees() async throws {
        try await RealDaemon.run { daemon in
            let parent = try await daemon.gantry(
                "run", "--detach", "--name", "a", "--hostname", "pod", "--env", "OF_PARENT=1", "busybox", "sh", "-c",
                "echo 1 > /only-here; exec sleep 1000")
            #expect(parent.code == 0)
            let script = """
                hostname; ls /only-here 2>/dev/null; echo $PWD; env | sort | cut -d= -f1 | tr '\\n' ' '; echo
                for p in /proc/[0-9]*; do read -r name < $p/comm; echo "${p#/proc/} $name"; done
                """
            let result = try await daemon.gantry("run", "--parent", "a", "--name", "b", "busybox", "sh", "-c", script)
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(result.code == 0, "\(result)")
            #expect(lines.prefix(2) == ["pod", "/mnt/mesos/sandbox"], "the name of its parent, a root of its own")
            #expect(
                lines.dropFirst(2).first == "MESOS_SANDBOX PATH PWD SHLVL ", "nothing of the parent's or the daemon's")
            #expect(lines.dropFirst(3) == ["1 gantry-init", "2 sh"], "its own processes only")
            let shared = try await daemon.client.launch(
                request("a.s", "cat /proc/1/comm; echo $$", linux: .init(sharePidNamespace: true)), attaching: true)
            var output: [UInt8] = []
            while let message = try await shared.output?.next() { output += message.data?.data ?? [] }
            #expect(String(decoding: output, as: UTF8.self).hasPrefix("gantry-init\n"), "the parent's first process")
            #expect(try await shared.termination()?.status == 0)
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func cgroupsAreSharedUnlessAskedOtherwise() async throws {
        try await RealDaemon.run { daemon in
            var top = request("a")
            top.containerConfig?.limits = ["mem": .init(value: 96)]
            var own = request("a.own", linux: .init(shareCgroups: false))
            own.containerConfig?.limits = ["mem": .init(value: 48)]
            for request in [top, request("a.b"), own, request("a.own.c"), request("a.own.d", debug: true)] {
                try await start(request, daemon)
            }
            let a = try await cgroups("a", daemon)
            let mounts = try CgroupMounts.detect()
            func memory(_ name: String) async throws -> UInt64? {
                let process = try await cgroups(name, daemon).first { $0.key.split(separator: ",").contains("memory") }
                guard let process, let mount = mounts.hierarchies["memory"] else { return nil }
                return UInt64(try ControlFile.read("\(mount)\(process.value)/memory.limit_in_bytes").dropLast())
            }
            if mounts.mode != .v2 {
                #expect(try await memory("a") == 96 << 20)
                #expect(try await memory("a.b") == 96 << 20)
                #expect(try await memory("a.own") == 48 << 20)
                #expect(try await memory("a.own.c") == 48 << 20)
                #expect(try await memory("a.own.d") == 48 << 20)
                // Where there is a controller they are in the same cgroup; where they are only counted, below it.
                for (name, path) in try await cgroups("a.b", daemon)
                where name.contains("memory") || name.contains("cpu") {
                    #expect(path == a[name], "\(name)")
                }
            }
            let unified = try await cgroups("a.own.c", daemon)[""] ?? ""
            if mounts.unified != nil { #expect(unified.hasPrefix("/\(daemon.cgroup)/a/mesos/own/mesos/c")) }

            let usage = try await daemon.client.containers.usage(.init(containerID: Self.id("a.own"))).statistics
            #expect(usage?.memLimitBytes == 48 << 20)
            #expect((usage?.memTotalBytes ?? 0) > 0)
            let shared = try await daemon.client.containers.usage(.init(containerID: Self.id("a.b"))).statistics
            #expect(shared?.memTotalBytes == nil, "the figures are those of the container around it")
            #expect(try await daemon.gantry("destroy", "a.own").code == 0)
            #expect(try await memory("a.b") == 96 << 20 || mounts.mode == .v2)
            #expect(try await daemon.gantry("destroy", "a").code == 0)
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
        }
    }

    @Test func aLimitOfItsOwnEndsTheNestedContainerAlone() async throws {
        try await RealDaemon.run { daemon in
            _ = try await daemon.client.launch(request("a"))
            var eater = request(
                "a.eater", "x=$(head -c 100000000 /dev/zero | tr '\\0' x)", linux: .init(shareCgroups: false))
            eater.containerConfig?.limits = ["mem": .init(value: 32)]
            eater.containerConfig?.resources = [.init(name: "mem", type: .scalar, scalar: .init(value: 32))]
            let termination = try await daemon.client.launch(eater).termination()
            #expect(termination?.reason == .containerLimitationMemory)
            #expect(termination?.message?.contains("mesos/eater") == true, "\(termination?.message ?? "")")
            let left = try await daemon.client.containers.containers(.init()).containerIDs
            #expect(left == [Self.id("a")])
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func theEndOfANestedContainerIsKnownUntilItIsRemoved() async throws {
        try await RealDaemon.run { daemon in
            _ = try await daemon.client.launch(request("a"))
            let ended = try await daemon.gantry(
                "run", "--name", "a.b", "busybox", "sh", "-c", "echo kept > file; exit 42")
            #expect(ended.code == 42)
            #expect(try await daemon.gantry("wait", "a.b").code == 42)
            #expect(try await daemon.gantry("wait", "a.b").code == 42)
            let sandbox = daemon.root + "/sandboxes/a/containers/b"
            #expect(try ControlFile.read(sandbox + "/file") == "kept\n")
            let log = try ControlFile.read(daemon.root + "/sandboxes/a/containers/b/stdout")
            #expect(log.isEmpty)
            #expect(try await daemon.gantry("remove", "a.b").code == 0)
            #expect(access(sandbox, F_OK) != 0)
            #expect(try await daemon.gantry("wait", "a.b").code != 42)
            // The same name again, in another class.
            #expect(try await daemon.gantry("run", "--name", "a.b", "busybox", "sh", "-c", "exit 7").code == 7)
            #expect(try await daemon.gantry("wait", "a.b").code == 7)
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func theEndOfAParent() async throws {
        try await RealDaemon.run { daemon in
            try await start(request("a", "trap 'exit 3' TERM; echo up; sleep 1000 & wait"), daemon)
            let b = try await daemon.client.launch(request("a.b"))
            let c = try await daemon.client.launch(request("a.b.c"))
            let host = try await daemon.client.launch(
                request("a.h", image: false, linux: .init(sharePidNamespace: true)))
            let client = daemon.client
            let waiting = Task { try await client.containers.wait(.init(containerID: Self.id("a"))).termination }
            _ = try await daemon.client.containers.kill(.init(containerID: Self.id("a"), signal: 15))
            #expect(try await waiting.value?.status == 3 << 8, "its own end")
            for container in [b, c, host] { #expect(try await container.termination()?.status == 9) }
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
        }
    }

    /// What runs in the parent may put links into its sandbox, which is on the host's file system.
    @Test func linksInTheSandboxDoNotLeadToTheHost() async throws {
        try await RealDaemon.run { daemon in
            let parent = try await daemon.client.launch(
                request("a", "ln -s /etc containers; echo ready; exec sleep 1000"), attaching: true)
            #expect(try await parent.output?.next()?.data?.data == Array("ready\n".utf8))
            let before = try Directory("/etc").names()
            let result = try await daemon.gantry("run", "--parent", "a", "busybox", "sh", "-c", "echo > out")
            #expect(result.code == 125, "\(result)")
            #expect(try Directory("/etc").names() == before)
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func aKilledDaemonLeavesNothingThatTheNextDoesNotFind() async throws {
        try await RealDaemon.run { daemon in
            for request in [
                request("a"), request("a.b"), request("a.b.c"), request("a.own", linux: .init(shareCgroups: false)),
                request("a.b.debug", debug: true),
            ] {
                try await start(request, daemon)
            }
            try await daemon.crash()
            #expect(daemon.leftovers().contains { $0.hasPrefix("process") }, "they live on without a daemon")
            try await daemon.start()
            _ = try await daemon.gantry("destroy", "a")
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
            _ = try await daemon.client.launch(request("a"))
            _ = try await daemon.client.launch(request("a.b"))
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func manyChildrenAtOnce() async throws {
        try await RealDaemon.run { daemon in
            _ = try await daemon.client.launch(request("a"))
            let statuses = try await withThrowingTaskGroup(of: Int32?.self) { group in
                for number in 0..<20 {
                    let request = request("a.c\(number)", "exit \(number)", debug: number % 2 == 0)
                    let client = daemon.client
                    group.addTask { try await client.launch(request).termination()?.status }
                }
                return try await group.reduce(into: Set<Int32?>()) { $0.insert($1) }
            }
            #expect(statuses == Set((0..<20).map { Int32($0) << 8 }))
            #expect(try await daemon.gantry("destroy", "a").code == 0)
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
            // No child of the daemon is left unreaped but the spawner.
            var children = 0
            for task in try Directory("/proc/\(daemon.pid)/task").names() {
                children += try ControlFile.read("/proc/\(daemon.pid)/task/\(task)/children").split(separator: " ")
                    .count
            }
            #expect(children == 1)
        }
    }
}
