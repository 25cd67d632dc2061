// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// What all connections of a server may make it hold, together. Below the limit each may hold what its own limits allow;
/// above it nobody more than a share of half as much again, so that those who hold little are served as if nothing were.
/// On the reactor's thread.
final class MemoryBudget {
    private static let smallestShare = 16 << 10

    let limit: Int
    /// Connections that share it.
    var connections = 0
    private(set) var used = 0
    /// Connections that have stopped reading until there is room.
    private var waiting: [ObjectIdentifier: Channel] = [:]

    private let metrics: ServerMetrics?

    init(limit: Int, _ metrics: ServerMetrics? = nil) {
        self.limit = limit
        self.metrics = metrics
    }

    /// Whether a connection that holds `held` bytes may take in more.
    func admits(_ held: Int) -> Bool { used < limit || held < share }

    /// What a connection may hold whatever the others do.
    private var share: Int { max(Self.smallestShare, limit / 2 / max(1, connections)) }

    /// A connection holds this much more, or less.
    func change(by bytes: Int) {
        used += bytes
        metrics?.heldBytes.store(used, ordering: .relaxed)
        guard bytes < 0, used < limit, !waiting.isEmpty else { return }
        let ready = waiting.values
        waiting = [:]
        for channel in ready { channel.needTurnEnd() }
    }

    func wait(_ channel: Channel) {
        waiting[ObjectIdentifier(channel)] = channel
    }

    func forget(_ channel: Channel) {
        if !waiting.isEmpty { waiting[ObjectIdentifier(channel)] = nil }
    }
}
