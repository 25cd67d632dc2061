// SPDX-License-Identifier: Apache-2.0

/// What a peer may make us hold. Each bound is one connection's unless it says otherwise.
public struct Limits: Sendable {
    /// Connections of a server; further ones wait in the kernel's backlog.
    public var connections = 1_024
    /// Calls of a server that run at once, over all connections. Beyond: RESOURCE_EXHAUSTED.
    public var calls = 16_384
    /// Calls that run at once. Beyond: RESOURCE_EXHAUSTED.
    public var streams = 1_024
    /// Bytes of stream messages that nobody has taken yet. At the limit the connection is not read any further.
    public var inboundBytes = 16 << 20
    /// Bytes of requests whose calls are still running. Beyond: RESOURCE_EXHAUSTED.
    public var requestBytes = 64 << 20
    /// Bytes written and not yet taken by the peer. At the limit `send` waits and the connection is not read.
    public var outboundBytes = 16 << 20
    /// How long a frame may stay half-read before the connection is closed.
    public var frameTime: Duration = .seconds(10)

    public init() {}
}
