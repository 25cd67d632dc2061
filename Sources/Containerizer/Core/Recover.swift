// SPDX-License-Identifier: Apache-2.0

import Logging
import Reactor
import Kernel
import Wire

/// The sweep at start-up (containerizer.md section 4): destroys what a daemon that died left behind.
extension Containerizer {
    /// Finds every container that has a directory or a cgroup of this instance, and destroys it through the ordinary
    /// pipeline. Called once, before any other operation. A container that cannot be destroyed stays in the table with
    /// its error; the daemon serves the others.
    ///
    /// - Returns: how many containers were found.
    /// - Throws: only what keeps the daemon from looking.
    public func recover() async throws -> Int {
        let tracked = try await launcher.recover()
        let leftovers = Array(Set(try runtime.containers()).union(tracked))
        for isolator in isolators { try await isolator.recover(leftovers: leftovers) }
        for id in leftovers {
            log.notice("destroying what an earlier daemon left", metadata: ["container": "\(id.text)"])
            let container = Container(adopting: id)
            table[id] = container
            beginDestroy(container, prefilled: nil)
        }
        for id in leftovers { await table[id]?.destruction?.value }
        try await provisioner.recover(known: Array(table.keys))
        return leftovers.count
    }

    /// Ends every container, for a clean stop.
    public func destroyAll() async {
        let ids = Array(table.keys)
        for id in ids {
            if let container = table[id] { beginDestroy(container, prefilled: nil) }
        }
        for id in ids { await table[id]?.destruction?.value }
    }
}

extension Container {
    /// A container of which nothing is known but that it exists: it is treated as running, so that every step of the
    /// teardown is taken.
    convenience init(adopting id: Mesos.ContainerID) {
        let config = Mesos.Slave.ContainerConfig(directory: "", commandInfo: Mesos.CommandInfo())
        self.init(id, config, ownsSandbox: true, now: .now)
        lifecycle = Lifecycle(adopted: ())
        forked.settle(.failure(Containerizer.unknown(id)))
        started.settle(.success(nil))
    }
}
