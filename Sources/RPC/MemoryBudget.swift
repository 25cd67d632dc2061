// SPDX-License-Identifier: Apache-2.0

/// What all connections of a server may make it hold, together. Below the limit each may hold what its own limits allow;
/// above it nobody more than a small share, so that those who hold little are served as if nothing were. On the
/// reactor's thread.
final class MemoryBudget {
    /// What a connection may hold whatever the others do.
    static let share = 16 << 10

    let limit: Int
    private(set) var used = 0
    /// Connections that have stopped reading until there is room.
    private var waiting: [ObjectIdentifier: Channel] = [:]

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether a connection that holds `held` bytes may take in more.
    func admits(_ held: Int) -> Bool { used < limit || held < Self.share }

    /// A connection holds this much more, or less.
    func change(by bytes: Int) {
        used += bytes
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
