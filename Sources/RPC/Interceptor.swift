// SPDX-License-Identifier: Apache-2.0

/// Runs around every call, known methods only, in the order in which the server lists them: the first is the outermost.
///
/// It may throw before `next` (the handler then never runs, and the caller gets the error), look at what `next` throws,
/// and throw something else. It calls `next` at most once and does not let it escape. The request has not been decoded
/// to the handler's satisfaction yet: an argument that does not decode makes `next` throw INVALID_ARGUMENT.
public typealias Interceptor =
    @Sendable (_ context: CallContext, _ next: () async throws -> Void) async throws -> Void
