// SPDX-License-Identifier: Apache-2.0
internal import RPC
internal import Wire

// What the generated registrations and clients are made of.

/// Decodes a request. Memory beside the input is bounded by Wire's default.
func decodeMessage<M: Message>(_ bytes: UnsafeRawBufferPointer) throws -> M {
    try M(decoding: bytes)
}

func encodeMessage<M: Message>(_ message: M) throws -> [UInt8] {
    try message.encoded()
}

/// A request that cannot be sent: it is nested too deeply, or too large.
func encodeRequest<M: Message>(_ message: M) throws -> [UInt8] {
    do {
        return try message.encoded()
    } catch {
        throw RPCError(.invalidArgument, "the request cannot be encoded: \(error)")
    }
}

/// A message of the server that the client cannot read.
func decodeResponse<M: Message>(_ bytes: [UInt8]) throws -> M {
    do {
        return try M(decoding: bytes)
    } catch {
        throw RPCError(.internal, "the server's answer cannot be decoded: \(error)")
    }
}

extension Router {
    mutating func unary<Req: Message, Res: Message>(service: String, method: String, _ handler: UnaryHandler<Req, Res>)
    {
        switch handler {
        case .task(let handle):
            unary(service: service, method: method, decode: decodeMessage, handle: handle, encode: encodeMessage)
        case .immediate(let handle):
            immediate(service: service, method: method, decode: decodeMessage, handle: handle, encode: encodeMessage)
        }
    }
}

extension ClientConnection {
    func call<Req: Message, Res: Message>(
        service: String, method: String, _ request: Req, _ options: CallOptions
    ) async throws -> Res {
        let payload = try encodeRequest(request)
        return try decodeResponse(
            try await unary(service: service, method: method, payload: payload, options: options))
    }

    func open<Req: Message, Res: Message>(
        service: String, method: String, _ request: Req, _ options: CallOptions
    ) async throws -> Responses<Res> {
        let payload = try encodeRequest(request)
        return Responses(try await stream(service: service, method: method, payload: payload, options: options))
    }

    func open<Req: Message, Res: Message>(
        service: String, method: String, _ options: CallOptions
    ) async throws -> Exchange<Req, Res> {
        Exchange(try await stream(service: service, method: method, payload: nil, options: options))
    }
}
