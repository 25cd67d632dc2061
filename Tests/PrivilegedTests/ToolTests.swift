// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// `gantry call`, `services` and `ping` against the real daemon.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ToolTests {
    private func gantry(
        _ daemon: RealDaemon, _ arguments: [String], input: String
    ) async throws -> RunningProgram.Result {
        try await RunningProgram(arguments, host: daemon.socket, input: input).finish(on: daemon.reactor)
    }

    @Test func callingByName() async throws {
        try await RealDaemon.run { daemon in
            let health = try await daemon.gantry("call", "gantry.v1.System/Health")
            #expect(
                health
                    == RunningProgram.Result(code: 0, output: "{\n  \"live\": true,\n  \"ready\": true\n}\n", error: "")
            )
            let missing = try await daemon.gantry("call", "System/Inspect", #"{"container_id":{"value":"nosuch"}}"#)
            #expect(missing.code == 125 && missing.error.contains("nosuch"), "\(missing)")
            let input = #"{"container_id":{"value":"nosuch"}}"#
            let wait = try await gantry(daemon, ["call", "Containerizer/Wait", "-"], input: input)
            #expect(wait == RunningProgram.Result(code: 0, output: "{}\n", error: ""))
            let wrong = try await daemon.gantry("call", "System/Inspect", #"{"container_id":7}"#)
            #expect(wrong.code == 65 && wrong.error.contains("gantry services gantry.v1.System/Inspect"), "\(wrong)")
            #expect(try await daemon.gantry("call", "System/Nothing").code == 64)
            #expect(try await daemon.gantry("call", "Nothing/Health").code == 64)
            #expect(try await daemon.gantry("call", "Health").code == 64)
        }
    }

    @Test func streamsAreLines() async throws {
        try await RealDaemon.run { daemon in
            let launched = try await daemon.gantry(
                "run", "-d", "--name", "web", "busybox", "/bin/sh", "-c", "echo hello; sleep 1000")
            #expect(launched.code == 0, "\(launched)")
            let start = #"{"start":{"container_id":{"value":"web"},"stdout":true,"replay":true}}"#
            let (socket, reactor) = (daemon.socket, daemon.reactor)
            async let attached = RunningProgram(
                ["call", "Containerizer/Attach", "-"], host: socket, input: "\n" + start + "\n"
            ).finish(on: reactor)
            async let argued = RunningProgram(["call", "Containerizer/Attach", start], host: socket)
                .finish(on: reactor)
            // Both end when the container does; `wait` by name tells that it has.
            let destroyed = try await daemon.gantry("destroy", "web")
            #expect(destroyed.code == 0, "\(destroyed)")
            for result in try await [attached, argued] where result.code == 0 {
                let lines = result.output.split(separator: "\n")
                #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") }, "\(result)")
                #expect(lines.first?.contains("aGVsbG8K") == true, "\(result)")
            }
            let progress = try await daemon.gantry(
                "call", "Images/Import", #"{"path":"\#(daemon.directory)/rootfs","reference":"again"}"#)
            #expect(progress.code == 0, "\(progress)")
            #expect(progress.output.split(separator: "\n").last?.contains("manifest_digest") == true, "\(progress)")
        }
    }

    @Test func servicesAreDescribed() async throws {
        try await RealDaemon.run { daemon in
            let all = try await daemon.gantry("services")
            #expect(all.code == 0)
            for name in ["Containerizer", "Images", "System", "Reflection"] {
                #expect(all.output.contains("gantry.v1.\(name)\n"))
            }
            #expect(
                all.output.contains("  Attach(stream gantry.v1.AttachRequest) -> stream mesos.agent.ProcessIO\n"))
            let launch = try await daemon.gantry("services", "Containerizer/Launch")
            #expect(launch.output.contains("message gantry.v1.LaunchRequest {\n  mesos.ContainerID container_id = 1\n"))
            #expect(launch.output.contains("  map<string, string> environment = 3\n"))
            #expect(launch.output.contains("enum gantry.v1.LaunchResult {\n"))
            #expect(launch.output.contains("  required mesos.CommandInfo command_info = 11\n"))
            let id = try await daemon.gantry("services", "mesos.ContainerID")
            let text =
                "message mesos.ContainerID {\n  required string value = 1\n  optional mesos.ContainerID parent = 2\n}\n"
            #expect(id == RunningProgram.Result(code: 0, output: text, error: ""))
            let unknown = try await daemon.gantry("services", "mesos.Nothing")
            #expect(unknown.code == 125 && unknown.error.contains("hint:"), "\(unknown)")
        }
    }

    @Test func pinging() async throws {
        try await RealDaemon.run { daemon in
            let text = try await daemon.gantry("ping", "--count", "100")
            #expect(text.code == 0 && text.output.contains("p99.9:"), "\(text)")
            let json = try await daemon.gantry("ping", "-c", "100", "-p", "8", "-o", "json")
            #expect(json.output.hasPrefix(#"{"calls":100,"#), "\(json)")
        }
    }
}
