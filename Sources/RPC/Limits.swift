// SPDX-License-Identifier: Apache-2.0

/// What a peer may make us hold. Each bound is one connection's unless it says otherwise.
///
/// An idle connection holds no buffers; with the defaults 10,000 of them stay below 256 MiB whatever they do.
public struct Limits: Sendable {
    /// Connections of a server; further ones wait in the kernel's backlog.
    public var connections = 16_384
    /// Connections of a server from one user id. A further one is closed as soon as it has been accepted.
    public var connectionsPerUser = 12_288
    /// Calls of a server that run at once, over all connections. Beyond: RESOURCE_EXHAUSTED, but each connection may
    /// have four.
    public var calls = 16_384
    /// Calls that run at once. Beyond: RESOURCE_EXHAUSTED.
    public var streams = 1_024
    /// Bytes of stream messages that nobody has taken yet. At the limit the connection is not read any further.
    public var inboundBytes = 16 << 20
    /// Bytes of requests whose calls are still running. Beyond: RESOURCE_EXHAUSTED.
    public var requestBytes = 16 << 20
    /// Bytes written and not yet taken by the peer. At the limit `send` waits and the connection is not read.
    public var outboundBytes = 16 << 20
    /// All of these bytes and those of half-read frames, of all connections of a server. Above it each connection may
    /// still hold its share of half as much again, and at least 16 KiB.
    public var serverBytes = 64 << 20
    /// The longest that a call may take, whatever deadline it brings. nil: as long as its caller waits.
    public var callTime: Duration?
    /// Descriptors that the peer may have passed and that no call has got yet; beyond, the connection is closed. 0: none
    /// are taken at all, and the kernel closes what comes.
    public var descriptors = 0
    /// How long a frame may stay half-read before the connection is closed.
    public var frameTime: Duration = .seconds(10)

    public init() {}
}
