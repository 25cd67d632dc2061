// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Kernel
import Services
import TestSupport
import Testing
import Wire

/// The whole life of a container, through the command line and through the RPC, against the real daemon.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct LifeTests {
    private func request(_ name: String, _ script: String) -> Gantry.V1.LaunchRequest {
        let image = Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: "busybox"))
        let config = Mesos.Slave.ContainerConfig(
            directory: "", commandInfo: Mesos.CommandInfo(value: script),
            containerInfo: Mesos.ContainerInfo(type: .mesos, mesos: Mesos.ContainerInfo.MesosInfo(image: image)))
        return Gantry.V1.LaunchRequest(containerID: Mesos.ContainerID(value: name), containerConfig: config)
    }

    @Test func outputAndExitCodeArePassedOn() async throws {
        try await RealDaemon.run { daemon in
            let result = try await daemon.gantry("run", "busybox", "sh", "-c", "echo out; echo err >&2; exit 42")
            #expect(result == .init(code: 42, output: "out\n", error: "err\n"))
        }
    }

    @Test func allOfALargeOutputArrivesInOrder() async throws {
        try await RealDaemon.run { daemon in
            let script = "i=0; while [ $i -lt 40000 ]; do echo line $i; i=$((i+1)); done"
            let result = try await daemon.gantry("run", "busybox", "sh", "-c", script)
            #expect(result.code == 0)
            #expect(result.output == (0..<40000).map { "line \($0)\n" }.joined())
        }
    }

    @Test func aContainerSeesOnlyItself() async throws {
        try await RealDaemon.run { daemon in
            let script = """
                for p in /proc/[0-9]*; do read -r name < $p/comm; echo "${p#/proc/} $name"; done
                hostname; env; ls /proc/self/fd | tr '\\n' ' '; cat /proc/self/status
                """
            let result = try await daemon.gantry("run", "--hostname", "inside", "busybox", "sh", "-c", script)
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(result.code == 0, "\(result)")
            #expect(lines.prefix(2) == ["1 gantry-init", "2 sh"])
            #expect(lines.contains("inside"))
            #expect(!result.output.contains("DAEMON_SECRET"), "the daemon's environment stays out")
            #expect(lines.contains("NoNewPrivs:\t1"))
            #expect(lines.contains("CapInh:\t0000000000000000"), "CVE-2022-29162")
            #expect(lines.contains("CapEff:\t00000000a80425fb") || lines.contains("CapEff:\t00000000a00425fb"))
        }
    }

    @Test func aSignalEndsItAndIsReported() async throws {
        try await RealDaemon.run { daemon in
            let container = try await daemon.client.launch(request("a", "echo up; exec sleep 1000"))
            #expect(container.result == .success)
            #expect(try await daemon.gantry("kill", "-s", "TERM", "a").code == 0)
            let termination = try await container.termination()
            #expect(termination?.status == 15)
            #expect(termination?.state == nil && termination?.reason == nil)
            #expect(daemon.leftovers().isEmpty)
        }
    }

    @Test func destroyKillsEverything() async throws {
        try await RealDaemon.run { daemon in
            let container = try await daemon.client.launch(request("a", "trap '' TERM; sleep 1000 & sleep 1000"))
            let answer = try await daemon.client.containers.destroy(.init(containerID: .init(value: "a")))
            #expect(answer.termination?.status == 9)
            #expect(try await container.termination()?.status == 9)
            #expect(daemon.leftovers().isEmpty)
            let again = try await daemon.client.containers.destroy(.init(containerID: .init(value: "a")))
            #expect(again.termination == nil, "nothing of that name is no error")
        }
    }

    @Test func aMemoryLimitIsNamedWithLimitAndPeak() async throws {
        try await RealDaemon.run { daemon in
            var request = request("eater", "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo done")
            request.containerConfig?.limits = ["mem": .init(value: 32)]
            request.containerConfig?.resources = [.init(name: "mem", type: .scalar, scalar: .init(value: 32))]
            let termination = try await daemon.client.launch(request).termination()
            #expect(termination?.state == .taskFailed)
            #expect(termination?.reason == .containerLimitationMemory)
            let message = termination?.message ?? ""
            #expect(message.contains("limit 32 MiB") && message.contains("peak"), "\(message)")
            #expect(daemon.leftovers().isEmpty)
        }
    }

    @Test func usageStatusAndInspectTellWhatItDoes() async throws {
        try await RealDaemon.run { daemon in
            var request = request(
                "busy", "x=$(head -c 4000000 /dev/zero | tr '\\0' x); echo ready; while :; do :; done")
            request.containerConfig?.limits = ["mem": .init(value: 64), "cpus": .init(value: 1)]
            request.containerConfig?.resources = [
                .init(name: "mem", type: .scalar, scalar: .init(value: 64)),
                .init(name: "cpus", type: .scalar, scalar: .init(value: 1)),
            ]
            let container = try await daemon.client.launch(request)
            let attached = try await daemon.client.containers.attach()
            try await attached.send(
                .init(kind: .start(.init(containerID: container.id, stdout: true, replay: true))))
            attached.closeSend()
            let first = try await attached.responses.next()
            #expect(first?.data?.data == Array("ready\n".utf8))

            let usage = try await daemon.client.containers.usage(.init(containerID: container.id)).statistics
            #expect((usage?.memTotalBytes ?? 0) > 1_000_000)
            #expect(usage?.memLimitBytes == 64 << 20)
            #expect(usage?.cpusLimit == 1)
            #expect((usage?.cpusUserTimeSecs ?? -1) >= 0)
            let status = try await daemon.client.containers.status(.init(containerID: container.id)).status
            #expect(status?.containerID == container.id)
            let record = try await daemon.client.system.inspect(.init(containerID: container.id)).container
            #expect(record?.state == "running")
            #expect(record?.pid == status?.executorPid.map(UInt64.init))
            #expect(record?.steps.contains { $0.step == "release" } == true)
            _ = try await daemon.client.containers.destroy(.init(containerID: container.id))
        }
    }

    @Test func theSameNameTwiceChangesNothing() async throws {
        try await RealDaemon.run { daemon in
            let first = try await daemon.client.launch(request("a", "sleep 1000"))
            let second = try await daemon.client.launch(request("a", "true"))
            #expect(second.result == .alreadyLaunched)
            let listed = try await daemon.client.containers.containers(.init()).containerIDs
            #expect(listed == [first.id])
            _ = try await daemon.client.containers.destroy(.init(containerID: first.id))
        }
    }

    @Test func anotherKindOfContainerIsLeftToOthers() async throws {
        try await RealDaemon.run { daemon in
            var request = request("a", "true")
            request.containerConfig?.containerInfo?.type = .docker
            let container = try await daemon.client.launch(request)
            #expect(container.result == .notSupported)
        }
    }

    @Test func anUnknownContainerIsAnsweredByTheContract() async throws {
        try await RealDaemon.run { daemon in
            let id = Mesos.ContainerID(value: "nobody")
            #expect(try await daemon.client.containers.wait(.init(containerID: id)).termination == nil)
            #expect(try await daemon.client.containers.kill(.init(containerID: id, signal: 9)).found == false)
            _ = try await daemon.client.containers.update(.init(containerID: id))
            await #expect(throws: (any Error).self) {
                try await daemon.client.containers.usage(.init(containerID: id))
            }
            await #expect(throws: (any Error).self) {
                try await daemon.client.containers.remove(.init(containerID: id))
            }
        }
    }

    @Test func manyAtOnceAllEnd() async throws {
        try await RealDaemon.run { daemon in
            let statuses = try await withThrowingTaskGroup(of: Int32?.self) { group in
                for number in 0..<40 {
                    let request = request("c\(number)", "exit \(number)")
                    let client = daemon.client
                    group.addTask { try await client.launch(request).termination()?.status }
                }
                return try await group.reduce(into: Set<Int32?>()) { $0.insert($1) }
            }
            #expect(statuses == Set((0..<40).map { Int32($0) << 8 }))
            #expect(daemon.leftovers().isEmpty)
        }
    }

    @Test func theWorkingDirectoryIsTheOneAskedFor() async throws {
        try await RealDaemon.run { daemon in
            let asked = try await daemon.gantry("run", "--workdir", "/etc", "busybox", "sh", "-c", "echo $PWD")
            #expect(asked == .init(code: 0, output: "/etc\n", error: ""))
            let usual = try await daemon.gantry("run", "busybox", "sh", "-c", "echo $PWD")
            #expect(usual == .init(code: 0, output: "/mnt/mesos/sandbox\n", error: ""))
        }
    }

    @Test func anotherUserRunsWithoutCapabilities() async throws {
        try await RealDaemon.run { daemon in
            let result = try await daemon.gantry(
                "run", "--user", "1000:1001", "busybox", "sh", "-c", "id -u; id -g; cat /proc/self/status")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.prefix(2) == ["1000", "1001"], "\(result)")
            #expect(lines.contains("CapEff:\t0000000000000000"))
            #expect(lines.contains { $0.hasPrefix("Groups:") && !$0.contains("0 ") })
        }
    }
}
