// SPDX-License-Identifier: Apache-2.0
import Client
import Testing
import Wire

@testable import CLI

@Suite struct RenderingTests {
    private let second: Int64 = 1_000_000_000

    private var record: Gantry.V1.ContainerRecord {
        let image = Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: "debian:12"))
        let config = Mesos.Slave.ContainerConfig(
            directory: "/s",
            commandInfo: Mesos.CommandInfo(
                value: "/bin/sh", shell: false, arguments: ["/bin/sh", "-c", "echo it's; exit 3"]),
            containerInfo: Mesos.ContainerInfo(type: .mesos, mesos: Mesos.ContainerInfo.MesosInfo(image: image)),
            limits: ["mem": Mesos.Value.Scalar(value: 32), "cpus": Mesos.Value.Scalar(value: 0.5)])
        return Gantry.V1.ContainerRecord(
            containerID: Mesos.ContainerID(value: "web"), state: "RUNNING", stateSinceUnixNano: 100 * second, pid: 42,
            config: config,
            steps: [
                Gantry.V1.StepRecord(
                    pipeline: "launch", step: "provision", startedUnixNano: 90 * second, durationNano: 1_500_000),
                Gantry.V1.StepRecord(
                    pipeline: "launch", step: "isolate", durationNano: 2_000,
                    error: Gantry.V1.ErrorInfo(code: "cgroup.full")),
            ],
            sandbox: "/s")
    }

    @Test func ps() {
        let empty = Gantry.V1.ContainerRecord(
            containerID: Mesos.ContainerID(value: "in", parent: Mesos.ContainerID(value: "web")), state: "PREPARING")
        let text = PsCommand.table([record, empty], now: 150 * second, width: nil)
        #expect(
            text == """
                ID      STATE      PID  IMAGE      COMMAND                            AGE
                web     RUNNING     42  debian:12  /bin/sh -c 'echo it'\\''s; exit 3'   1m
                web.in  PREPARING    -  -          -                                    -

                """)
    }

    @Test func longCommandsAreCutOnATerminal() {
        let text = PsCommand.table([record], now: 150 * second, width: 12)
        #expect(text.contains("/bin/sh -c …"))
    }

    @Test func inspect() {
        #expect(
            InspectCommand.text(record, now: 150 * second) == """
                id:          web
                state:       RUNNING for 50s
                pid:         42
                image:       debian:12
                command:     /bin/sh -c 'echo it'\\''s; exit 3'
                limit cpus:  0.50
                limit mem:   32.0 MiB
                sandbox:     /s

                PIPELINE  STEP         TIME  RESULT
                launch    provision  1.5 ms  ok
                launch    isolate      2 us  cgroup.full

                """)
    }

    @Test func usage() throws {
        let statistics = Mesos.ResourceStatistics(
            timestamp: 110, cpusUserTimeSecs: 3, cpusSystemTimeSecs: 2, cpusLimit: 0.5, memRssBytes: 1024,
            memLimitBytes: 33_554_432, processes: 3, memTotalBytes: 2_097_152)
        var sample = UsageSample(
            name: ContainerName(Mesos.ContainerID(value: "web")), statistics: statistics, started: 100)
        #expect(
            UsageSample.table([sample]) == """
                ID   CPU TIME  CPU%  CPU LIMIT   MEMORY  MEMORY LIMIT  PROCESSES
                web     5.00s  50.0       0.50  2.0 MiB      32.0 MiB          3

                """)
        sample.before = Mesos.ResourceStatistics(timestamp: 108, cpusUserTimeSecs: 3, cpusSystemTimeSecs: 0)
        #expect(sample.processorPercent == 100)
        #expect(UsageSample.table([sample], header: false).hasPrefix("web "))
        #expect(try sample.json().hasPrefix(#"{"container_id":{"value":"web"},"statistics":{"timestamp":110"#))
    }

    @Test func usageWithoutFigures() {
        let sample = UsageSample(
            name: ContainerName(Mesos.ContainerID(value: "web")), statistics: Mesos.ResourceStatistics(timestamp: 1))
        #expect(sample.processorPercent == nil)
        #expect(UsageSample.table([sample], header: false).split(separator: " ").count == 7)
    }

    @Test func images() {
        let image = Gantry.V1.ImageRecord(
            reference: "debian:12", manifestDigest: "sha256:0123456789abcdef", sizeBytes: 1_048_576,
            createdUnixNano: 100 * second, layers: ["sha256:aa", "sha256:bb"])
        #expect(
            ImageListCommand.table([image], now: 103 * second) == """
                NAME       DIGEST                  SIZE  LAYERS  AGE
                debian:12  sha256:0123456789ab  1.0 MiB       2   3s

                """)
        let response = Gantry.V1.InspectImageResponse(image: image, manifestJSON: "{}", configJSON: "{\n}")
        #expect(
            ImageInspectCommand.text(response) == """
                name:           debian:12
                digest:         sha256:0123456789abcdef
                size:           1.0 MiB
                created:        1970-01-01 00:01:40Z
                layer 1:        sha256:aa
                layer 2:        sha256:bb
                manifest:       {}
                configuration:  {\\n}

                """)
    }

    @Test func importProgress() {
        let message = Gantry.V1.PullProgress(
            step: "unpacking", digest: "sha256:0123456789abcdef", doneBytes: 1024, totalBytes: 2048)
        #expect(ImportProgress.text(message) == "unpacking sha256:0123456789ab  1.0 KiB of 2.0 KiB")
        #expect(ImportProgress.text(Gantry.V1.PullProgress(step: "reading")) == "reading")
    }

    @Test func version() throws {
        let answer = Gantry.V1.VersionResponse(version: "1", api: "gantry.v1", kernel: "6.1", features: ["a", "b"])
        let text = VersionCommand.text(.success(answer))
        #expect(text.contains("gantryd:   1\n") && text.contains("features:  a b\n"))
        let error = ClientError(cause: .connect(path: "/x", errno: 2), message: "cannot connect")
        #expect(VersionCommand.text(.failure(error)) == "gantry:   \(clientVersion)\ngantryd:  cannot connect\n")
        #expect(
            try VersionCommand.json(.failure(error)) == #"{"client":{"version":"\#(clientVersion)"},"daemon":null}"#)
    }

    @Test func json() {
        #expect(JSONText.string("a\"\\\n\u{1}é") == #""a\"\\\n\u0001é""#)
        #expect(JSONText.array([]) == "[]")
        #expect(JSONText.array(["1", "2"]) == "[\n1,\n2\n]")
    }
}
