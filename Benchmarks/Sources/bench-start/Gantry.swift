// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import Wire

/// Gantry over its RPC: launch, and wait for the termination, which comes when nothing of the container is left.
struct GantryContestant {
    let client: GantryClient
    let daemon: pid_t

    /// What `Benchmarks/crun-bundle` asks of crun.
    private static let config = Mesos.Slave.ContainerConfig(
        directory: "",
        commandInfo: Mesos.CommandInfo(value: "/bin/true", shell: false, arguments: ["/bin/true"]),
        containerInfo: Mesos.ContainerInfo(
            type: .mesos, hostname: "bench",
            mesos: .init(image: Mesos.Image(type: .docker, docker: .init(name: "bench")))),
        resources: [
            Mesos.Resource(name: "cpus", type: .scalar, scalar: .init(value: 1)),
            Mesos.Resource(name: "mem", type: .scalar, scalar: .init(value: 128)),
        ],
        limits: ["cpus": .init(value: 1), "mem": .init(value: 128), "pids": .init(value: 100)])

    /// One container from launch to destruction. Throws BenchError when it did not end with 0, or the client's error.
    func once(_ number: Int) async throws {
        let id = Mesos.ContainerID(value: "bench-\(number)")
        let container = try await client.launch(
            Gantry.V1.LaunchRequest(containerID: id, containerConfig: Self.config))
        guard let termination = try await container.termination() else {
            throw BenchError("the daemon does not know how \(id.value) ended")
        }
        guard termination.status == 0 else {
            let status = termination.status.map(String.init) ?? "none"
            throw BenchError("\(id.value) ended with wait status \(status): \(termination.message ?? "no message")")
        }
    }

    /// The processor time so far of the daemon and of its ended children, in milliseconds (proc(5), /proc/PID/stat).
    /// The spawner is a child that has not ended: its time, and that of what it waited for, is added.
    func processorTime() throws -> Double {
        var ticks = try Self.ticks(of: "\(daemon)", withChildren: true)
        // Children are listed by the thread that made them.
        for thread in try Self.names(in: "/proc/\(daemon)/task") {
            let children = try Self.read("/proc/\(daemon)/task/\(thread)/children").split(separator: " ")
            for child in children { ticks += (try? Self.ticks(of: String(child), withChildren: true)) ?? 0 }
        }
        return ticks * 1e3 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func ticks(of pid: String, withChildren: Bool) throws -> Double {
        // The name in parentheses may hold anything; the fields are counted from its end, beginning with the third.
        let text = try read("/proc/\(pid)/stat")
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ").dropFirst()
        let times = fields.dropFirst(11).prefix(withChildren ? 4 : 2)
        return times.reduce(0) { $0 + (Double($1) ?? 0) }
    }

    private static func read(_ path: String) throws -> String {
        guard let file = fopen(path, "re") else { throw BenchError("open \(path): errno \(errno)") }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = fread(&buffer, 1, 4_096, file)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    private static func names(in path: String) throws -> [String] {
        guard let stream = opendir(path) else { throw BenchError("open \(path): errno \(errno)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
