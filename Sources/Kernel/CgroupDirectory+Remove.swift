// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

extension CgroupDirectory {
    /// Removes the cgroup and all below it, deepest first. What is gone already is fine.
    ///
    /// The caller has killed the processes. One that is still on its way out makes rmdir(2) answer EBUSY: then this
    /// waits for the kernel to say that the cgroup is empty, until `deadline`. Blocks.
    ///
    /// - Throws: `rmdir` with the cgroup that could not be removed; EBUSY when the deadline passed.
    public func removeTree(deadline: ContinuousClock.Instant) throws(SystemError) {
        // The plain case first: no cgroup below, so one call does it.
        if try removeIfEmpty() { return }
        for directory in try descendants().reversed() + [self] {
            while try !directory.removeIfEmpty() {
                guard ContinuousClock.now < deadline else { throw SystemError("rmdir", directory.path, .resourceBusy) }
                try directory.waitForExit(until: deadline)
            }
        }
    }

    /// False when the cgroup has processes or cgroups below it.
    public func removeIfEmpty() throws(SystemError) -> Bool {
        do {
            try systemCall("rmdir", path) { rmdir(path) }
            return true
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory: return true
            // ENOTEMPTY is a plain directory's answer for what cgroupfs calls busy.
            case .resourceBusy, .directoryNotEmpty: return false
            default: throw error
            }
        }
    }

    /// Waits for one sign of progress: cgroup2 announces when the last process is gone; version 1 announces nothing, so
    /// there each remaining process is waited for.
    private func waitForExit(until deadline: ContinuousClock.Instant) throws(SystemError) {
        if has("cgroup.events") {
            try waitUntilEmpty(until: deadline)
        } else if let pid = try processes().first {
            try Self.waitForExit(of: pid, until: deadline)
        }
        // Without a process and without an event the kernel is between a task's end and its removal from the cgroup,
        // which takes microseconds.
        sched_yield()
    }

    /// Blocks until `cgroup.events` says that no process is left, or the deadline.
    public func waitUntilEmpty(until deadline: ContinuousClock.Instant) throws(SystemError) {
        let events = try WatchedControlFile(file("cgroup.events"))
        while let text = try events.readIfPresent(), FlatKeyed(text)["populated"] != 0 {
            guard try Self.wait(events.raw, for: Int16(POLLPRI), until: deadline) else { return }
        }
    }

    private static func waitForExit(of pid: Int32, until deadline: ContinuousClock.Instant) throws(SystemError) {
        guard let process = try ProcessDescriptor.ifAlive(pid) else { return }
        _ = try wait(process.raw, for: Int16(POLLIN), until: deadline)
    }

    /// False at the deadline.
    private static func wait(
        _ descriptor: Int32, for events: Int16, until deadline: ContinuousClock.Instant
    ) throws(SystemError) -> Bool {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { return false }
        // Rounded up, so that the deadline has passed when poll says so.
        let milliseconds =
            Int32(min(left.components.seconds, 3600)) * 1000
            + Int32(left.components.attoseconds / 1_000_000_000_000_000) + 1
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return try systemCall("poll", "descriptor \(descriptor)") { poll(&entry, 1, milliseconds) } > 0
    }
}
