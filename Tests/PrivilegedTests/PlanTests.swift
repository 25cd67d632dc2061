// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Kernel
import Services
import TestSupport
import Testing
import Wire

/// `gantry plan`, and users by name, against the real daemon.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct PlanTests {
    private func write(_ daemon: RealDaemon, _ change: (inout Gantry.V1.LaunchRequest) -> Void = { _ in }) throws
        -> String
    {
        var request = Gantry.V1.LaunchRequest(
            containerID: .init(value: "planned"),
            containerConfig: .init(
                directory: "",
                commandInfo: .init(
                    environment: .init(variables: [.init(name: "TOKEN", value: "hidden")]), value: "/bin/echo",
                    shell: false, arguments: ["echo", "two words"]),
                containerInfo: .init(
                    type: .mesos, mesos: .init(image: .init(type: .docker, docker: .init(name: "busybox"))))))
        change(&request)
        let path = daemon.directory + "/plan.json"
        try RootFileSystem.write(try request.json(), to: path)
        return path
    }

    @Test func aPlanNamesWhoAsksForWhatAndLaunchesNothing() async throws {
        try await RealDaemon.run { daemon in
            let path = try write(daemon)
            let table = try await daemon.gantry("plan", path)
            #expect(table.code == 0, "\(table)")
            let lines = table.output.split(separator: "\n").map(String.init)
            func line(_ step: String, _ origin: String, _ text: String) -> Bool {
                lines.contains { $0.hasPrefix(step) && $0.contains(origin) && $0.contains(text) }
            }
            #expect(line("mount", "filesystem/linux", "proc on /proc"), "\(table.output)")
            #expect(line("mount", "namespaces/ipc", "tmpfs on /dev/shm"))
            #expect(line("hostname", "namespaces/uts", "planned"))
            #expect(line("loopback", "namespaces/net", "lo up"))
            #expect(line("overlay_root", "provisioner", "layers"))
            #expect(line("execute", "core", "/bin/echo \"echo\" \"two words\", with"))
            #expect(lines.first?.contains("mount uts ipc pid net") == true, "\(lines.first ?? "")")
            #expect(!table.output.contains("hidden"))
            #expect(daemon.leftovers().isEmpty, "\(daemon.leftovers())")

            let json = try await daemon.gantry("plan", "-o", "json", path)
            let plan = try Gantry.V1.PlanResponse(json: json.output)
            #expect(plan.steps.last?.name == "execute")
            #expect(plan.launchInfo?.noNewPrivileges == true)
            let listed = try await daemon.client.containers.containers(.init()).containerIDs
            #expect(listed.isEmpty)
        }
    }

    @Test func aNestedPlanEntersItsParent() async throws {
        try await RealDaemon.run { daemon in
            #expect(try await daemon.gantry("run", "--detach", "--name", "a", "busybox", "sleep", "1000").code == 0)
            let path = try write(daemon) { $0.containerID = .init(value: "b", parent: .init(value: "a")) }
            let result = try await daemon.gantry("plan", "-o", "json", path)
            let plan = try Gantry.V1.PlanResponse(json: result.output)
            #expect(plan.enteredNamespaces == ["uts", "ipc", "pid", "net"])
            #expect(plan.newNamespaces == ["mount", "pid"])
            #expect(access(daemon.root + "/sandboxes/a/containers/b", F_OK) != 0)
            #expect(try await daemon.gantry("destroy", "a").code == 0)
        }
    }

    @Test func aPlanFailsAsALaunchDoes() async throws {
        try await RealDaemon.run { daemon in
            let path = try write(daemon) { $0.containerConfig?.commandInfo = .init() }
            let result = try await daemon.gantry("plan", path)
            #expect(result.code == 125 && result.error.contains("the container has no command"), "\(result)")
            try RootFileSystem.write("{", to: path)
            #expect(try await daemon.gantry("plan", path).code == 65)
            #expect(try await daemon.gantry("plan", daemon.directory + "/missing").code == 125)
            #expect(daemon.leftovers().isEmpty)
        }
    }

    @Test func usersByNameAreTheImages() async throws {
        try await RealDaemon.run { daemon in
            try RootFileSystem.make(at: daemon.directory + "/users")
            let etc = daemon.directory + "/users/etc"
            try RootFileSystem.write("root:x:0:0:::\nwww:x:4123:4045:::\n", to: etc + "/passwd")
            try RootFileSystem.write("root:x:0:\nlogs:x:4077:www\nothers:x:4078:root\n", to: etc + "/group")
            #expect(try await daemon.gantry("image", "import", daemon.directory + "/users", "users").code == 0)
            let script = "id -u; id -g; id -G; ls -ldn . | cut -c1-60"
            let result = try await daemon.gantry("run", "--user", "www", "users", "sh", "-c", script)
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.prefix(3) == ["4123", "4045", "4045 4077"], "\(result)")
            #expect(lines.last?.contains("4123") == true, "the sandbox is the user's")
            let group = try await daemon.gantry("run", "--user", "www:others", "users", "sh", "-c", "id -u; id -G")
            #expect(group.output == "4123\n4078\n", "\(group)")
            let host = try await daemon.gantry("run", "--user", "daemon", "users", "true")
            #expect(host.code == 125 && host.error.contains("no user daemon"), "not the host's: \(host)")
            #expect(daemon.leftovers().isEmpty)
        }
    }

    /// The files are the image's, and lead nowhere else.
    @Test func aHostileUserDatabase() async throws {
        try await RealDaemon.run { daemon in
            try RootFileSystem.make(at: daemon.directory + "/hostile")
            let etc = daemon.directory + "/hostile/etc"
            unlink(etc + "/passwd")
            symlink("../../../../../../../../etc/passwd", etc + "/passwd")
            #expect(try await daemon.gantry("image", "import", daemon.directory + "/hostile", "hostile").code == 0)
            let result = try await daemon.gantry("run", "--user", "daemon", "hostile", "true")
            #expect(result.code == 125, "\(result)")
            #expect(daemon.leftovers().isEmpty)
        }
    }
}
