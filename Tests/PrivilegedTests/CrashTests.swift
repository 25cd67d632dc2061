// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Kernel
import Reactor
import Services
import TestSupport
import Testing
import Wire

/// What stays when the daemon, or a part of it, is killed.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct CrashTests {
    @Test func whatAKilledDaemonLeftIsGoneAfterTheNextStart() async throws {
        try await RealDaemon.run { daemon in
            for name in ["a", "b", "c"] {
                #expect(
                    try await daemon.gantry("run", "--detach", "--name", name, "busybox", "sleep", "1000").code == 0)
            }
            try await daemon.crash()
            #expect(daemon.leftovers().contains { $0.hasPrefix("process") }, "they live on without a daemon")
            try await daemon.start()
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
            #expect(try await daemon.gantry("ps", "-o", "json").output.contains("\"a\"") == false)
            #expect(try await daemon.gantry("run", "--name", "a", "busybox", "true").code == 0)
        }
    }

    /// Kills the daemon while launches and ends are under way, at moments that the load itself spreads.
    @Test(arguments: 1...8)
    func killedInTheMiddleOfLaunches(after launches: Int) async throws {
        try await RealDaemon.run { daemon in
            let client = daemon.client
            let launched = AsyncStream.makeStream(of: Void.self)
            let load = (0..<4).map { worker in
                Task {
                    for number in 0..<100 {
                        let config = Mesos.Slave.ContainerConfig(
                            directory: "", commandInfo: Mesos.CommandInfo(value: "sleep 0.01"),
                            containerInfo: Mesos.ContainerInfo(
                                type: .mesos,
                                mesos: .init(image: .init(type: .docker, docker: .init(name: "busybox")))))
                        let id = Mesos.ContainerID(value: "w\(worker)-\(number)")
                        guard
                            (try? await client.containers.launch(.init(containerID: id, containerConfig: config)))
                                != nil
                        else { return }
                        launched.continuation.yield()
                    }
                }
            }
            var seen = 0
            for await _ in launched.stream {
                seen += 1
                if seen == launches { break }
            }
            try await daemon.crash()
            for task in load { await task.value }
            try await daemon.start()
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")
        }
    }

    @Test func aKilledSpawnerIsReplacedAndContainersDoNotNotice() async throws {
        try await RealDaemon.run { daemon in
            #expect(try await daemon.gantry("run", "--detach", "--name", "a", "busybox", "sleep", "1000").code == 0)
            var spawners: [Int32] = []
            for task in try Directory("/proc/\(daemon.pid)/task").names() {
                let list = (try? ControlFile.read("/proc/\(daemon.pid)/task/\(task)/children")) ?? ""
                for pid in list.split(separator: " ").compactMap({ Int32($0) }) {
                    // A supervisor that has just been cloned still has the spawner's name; a pid namespace of its own
                    // gives it a second number from the first moment.
                    let status = try ControlFile.read("/proc/\(pid)/status").split(separator: "\n")
                    let numbers = status.first { $0.hasPrefix("NSpid:") }?.split(separator: "\t") ?? []
                    if numbers.count == 2 { spawners.append(pid) }
                }
            }
            #expect(spawners.count == 1)
            for pid in spawners {
                let spawner = try ProcessDescriptor(pid: pid)
                try spawner.signal(SIGKILL)
                try await daemon.reactor.readable(spawner.raw)
            }
            let first = try await daemon.gantry("run", "busybox", "true")
            let second = first.code == 0 ? first : try await daemon.gantry("run", "busybox", "true")
            #expect(second.code == 0, "\(first) \(second)")
            #expect(try await daemon.gantry("ps").output.contains("running"))
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func aSecondDaemonOnTheSameRootIsRefused() async throws {
        try await RealDaemon.run { daemon in
            let program = try RunningProgram.directory() + "gantryd"
            let result = try await RunningProgram(
                ["--root", daemon.root, "--host", "unix://\(daemon.directory)/other.sock"], host: "", program: program,
                wrapper: ["/usr/bin/env", "-i"]
            ).finish(on: daemon.reactor)
            #expect(result.code == 1)
            #expect(result.error.contains(daemon.root) && result.error.contains("hint:"), "\(result.error)")
            #expect(try await daemon.gantry("ps").code == 0, "the first one goes on")
        }
    }

    @Test func aCleanStopLeavesNothing() async throws {
        try await RealDaemon.run { daemon in
            #expect(try await daemon.gantry("run", "--detach", "--name", "a", "busybox", "sleep", "1000").code == 0)
            try await daemon.stop()
            #expect(daemon.leftovers().isEmpty)
            let mounts = try CgroupMounts.detect()
            for mount in Set(mounts.hierarchies.values).union([mounts.unified].compactMap { $0 }) {
                #expect(access("\(mount)/\(daemon.cgroup)", F_OK) != 0, "the daemon's own cgroup is gone too")
            }
        }
    }
}
