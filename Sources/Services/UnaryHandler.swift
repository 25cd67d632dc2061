// SPDX-License-Identifier: Apache-2.0
public import RPC
public import Wire

/// What answers a method with one request and one response.
public enum UnaryHandler<Request: Message, Response: Message>: Sendable {
    /// A task, which may wait for as long as it likes.
    case task(@Sendable (Request, CallContext) async throws -> Response)
    /// The reactor's own thread, between two frames: for what is answered from memory. Everything else waits for it.
    /// With an interceptor that suspends it runs in a task all the same (docs/adr/0011).
    case immediate(@Sendable (Request, CallContext) throws -> Response)
}
