// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import Reactor
import Testing
import Wire

/// What must hold for the cgroups isolator on a real kernel, whichever version it has.
enum CgroupChecks {
    static let requests: [Mesos.Resource] = [.scalar("cpus", 0.5), .scalar("mem", 64), .scalar("pids", 32)]

    static func cleanupAfterAProcessThatIsDying(_ cgroups: RealCgroups) async throws {
        let isolator = try await cgroups.isolator()
        _ = try await isolator.prepare(cgroups.id, .plain(resources: requests))
        let ready = try Ready()
        let pid = try cgroups.start("echo > '\(ready.path)' && exec sleep 1000")
        try await ready.wait(cgroups)
        kill(pid, SIGKILL)
        // Neither reaped nor waited for.
        try await isolator.cleanup(cgroups.id)
        #expect(try !cgroups.directory("memory").exists)
        #expect(try await cgroups.wait(pid) & 0x7F == SIGKILL)
        try await isolator.cleanup(cgroups.id)
    }

    /// A second daemon knows nothing but the name.
    static func cleanupOfALeftover(_ cgroups: RealCgroups) async throws {
        _ = try await cgroups.isolator().prepare(cgroups.id, .plain(resources: requests))
        let below = try cgroups.directory("memory").child("made-by-the-workload")
        try below.create()
        let next = try await cgroups.isolator()
        let error = await #expect(throws: ContainerError.self) {
            try await next.prepare(cgroups.id, .plain(resources: requests))
        }
        #expect(error?.code == "cgroup.exists")
        try await next.cleanup(cgroups.id)
        #expect(try !cgroups.directory("memory").exists)
        _ = try await next.prepare(cgroups.id, .plain(resources: requests))
        try await next.cleanup(cgroups.id)
    }

    static func anUnknownContainer(_ cgroups: RealCgroups) async throws {
        let isolator = try await cgroups.isolator()
        let update = await #expect(throws: ContainerError.self) {
            try await isolator.update(cgroups.id, requests: requests, limits: [:])
        }
        #expect(update?.kind == .notFound)
        let usage = await #expect(throws: ContainerError.self) { try await isolator.usage(cgroups.id) }
        #expect(usage?.code == "cgroup.not-found")
        #expect(await isolator.limitation(cgroups.id) == nil)
        try await isolator.cleanup(cgroups.id)
    }

    static func memoryLimit(_ cgroups: RealCgroups) async throws {
        let isolator = try await cgroups.isolator()
        #expect(isolator.watches)
        let request: [Mesos.Resource] = [.scalar("cpus", 1), .scalar("mem", 32)]
        _ = try await isolator.prepare(cgroups.id, .plain(resources: request))
        #expect(await isolator.limitation(cgroups.id) == nil)

        async let watched = isolator.watch(cgroups.id)
        // Keeps all that it reads, because there is no line to end.
        let pid = try cgroups.start("exec tail /dev/zero")
        let limitation = try await watched
        #expect(limitation.reason == .containerLimitationMemory)
        let directory = try cgroups.directory("memory")
        let message = try #require(limitation.message)
        #expect(message.hasPrefix("memory limit exceeded: limit 32 MiB, peak 3"))
        #expect(message.hasSuffix("(cgroup \(directory.path))"))
        let resource = try #require(limitation.resources.first)
        #expect(resource.name == "mem")
        #expect(resource.role == "*")
        #expect((resource.scalar?.value ?? 0) > 24)

        #expect(try await cgroups.wait(pid) & 0x7F == SIGKILL)
        // The counters still tell it, which is what counts when the exit is seen first.
        let afterwards = try #require(await isolator.limitation(cgroups.id))
        #expect(afterwards.message == limitation.message)
        // A watch that begins too late has not missed it.
        #expect(try await isolator.watch(cgroups.id).reason == .containerLimitationMemory)
        try await isolator.cleanup(cgroups.id)
        #expect(await isolator.limitation(cgroups.id) == nil)
    }

    static func aWatchEndsWithItsTask(_ cgroups: RealCgroups) async throws {
        let isolator = try await cgroups.isolator()
        _ = try await isolator.prepare(cgroups.id, .plain(resources: requests))
        let watch = Task { try await isolator.watch(cgroups.id) }
        watch.cancel()
        await #expect(throws: CancellationError.self) { try await watch.value }
        try await isolator.cleanup(cgroups.id)
    }

    static func usage(_ cgroups: RealCgroups) async throws {
        let isolator = try await cgroups.isolator()
        _ = try await isolator.prepare(cgroups.id, .plain(resources: requests))
        let ready = try Ready()
        // A tenth of a second of work at least, then a wait.
        let pid = try cgroups.start(
            "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo > '\(ready.path)'; exec sleep 1000")
        try await ready.wait(cgroups)
        let statistics = try #require(try await isolator.usage(cgroups.id))
        #expect(statistics.processes == 1)
        #expect(statistics.threads == 1)
        #expect((statistics.cpusUserTimeSecs ?? 0) + (statistics.cpusSystemTimeSecs ?? 0) > 0)
        #expect((statistics.memTotalBytes ?? 0) > 0)
        #expect(statistics.memRssBytes != nil)
        kill(pid, SIGKILL)
        _ = try await cgroups.wait(pid)
        try await isolator.cleanup(cgroups.id)
    }
}

/// A FIFO that a child writes to when it has come to a point.
struct Ready {
    let path: String

    init() throws {
        var template = Array("/tmp/gantry-ready-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        path = directory + "/fifo"
        try #require(mkfifo(path, 0o600) == 0)
    }

    /// Once.
    func wait(_ cgroups: RealCgroups) async throws {
        try await cgroups.pool.run { [path] in
            let descriptor = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
            var byte: UInt8 = 0
            let raw = descriptor.raw
            try systemCall("read", path) { read(raw, &byte, 1) }
            unlink(path)
            rmdir(String(path.dropLast("/fifo".count)))
        }
    }
}
