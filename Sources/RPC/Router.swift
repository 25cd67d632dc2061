// SPDX-License-Identifier: Apache-2.0

/// The methods of a server. Build it once, before the server starts; generated code fills it.
public struct Router: Sendable {
    /// What a method's two directions look like.
    enum Shape: Sendable {
        case unary, clientStream, serverStream, bidirectional
    }

    /// A call with its argument in it, ready to run. Its result is the encoded message of a method with a single
    /// result, and empty for the others.
    typealias Invocation = @Sendable (CallContext, ServerCall) async throws -> [UInt8]

    /// A call that needs no task. Decodes the argument, runs the handler, encodes the result.
    typealias Immediate = @Sendable (UnsafeRawBufferPointer, CallContext) throws -> [UInt8]

    struct Method: Sendable {
        var service: String
        var name: String
        var shape: Shape
        /// Decodes the argument. The bytes are valid only during the call; an argument that does not decode gives an
        /// invocation that throws, so that interceptors see that call as well.
        var prepare: @Sendable (UnsafeRawBufferPointer) -> Invocation
        /// The same without a task, of a unary method that has a synchronous handler.
        var immediate: Immediate?
        /// Its place in the server's table.
        var index = -1
    }

    private(set) var methods: [Method] = []

    public init() {}

    /// One message in, one message out.
    public mutating func unary<Req: Sendable, Res: Sendable>(
        service: String, method: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Req,
        handle: @escaping @Sendable (Req, CallContext) async throws -> Res,
        encode: @escaping @Sendable (Res) throws -> [UInt8]
    ) {
        add(service, method, .unary) { bytes in
            let request: Req
            do {
                request = try decode(bytes)
            } catch {
                let failure = RPCError(undecodable: error)
                return { _, _ in throw failure }
            }
            return { context, _ in
                try encodeResult(try await handle(request, context), encode)
            }
        }
    }

    /// One message in, one message out, without a task: for methods that never wait. The handler runs on the reactor's
    /// thread between two frames, and everything else waits for it.
    public mutating func immediate<Req: Sendable, Res: Sendable>(
        service: String, method: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Req,
        handle: @escaping @Sendable (Req, CallContext) throws -> Res,
        encode: @escaping @Sendable (Res) throws -> [UInt8]
    ) {
        // With an interceptor that may suspend it runs as others do.
        unary(service: service, method: method, decode: decode, handle: { try handle($0, $1) }, encode: encode)
        methods[methods.count - 1].immediate = { bytes, context in
            let request: Req
            do {
                request = try decode(bytes)
            } catch {
                throw RPCError(undecodable: error)
            }
            return try encodeResult(try handle(request, context), encode)
        }
    }

    /// One message in, many out. The stream ends when `handle` returns.
    public mutating func serverStream<Req: Sendable, Res: Sendable>(
        service: String, method: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Req,
        handle: @escaping @Sendable (Req, ResponseStream<Res>, CallContext) async throws -> Void,
        encode: @escaping @Sendable (Res) throws -> [UInt8]
    ) {
        add(service, method, .serverStream) { bytes in
            let request: Req
            do {
                request = try decode(bytes)
            } catch {
                let failure = RPCError(undecodable: error)
                return { _, _ in throw failure }
            }
            return { context, call in
                try await handle(request, ResponseStream(call: call, encode: encode), context)
                return []
            }
        }
    }

    /// Many messages in, one out.
    public mutating func clientStream<Req: Sendable, Res: Sendable>(
        service: String, method: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Req,
        handle: @escaping @Sendable (RequestStream<Req>, CallContext) async throws -> Res,
        encode: @escaping @Sendable (Res) throws -> [UInt8]
    ) {
        add(service, method, .clientStream) { _ in
            { context, call in
                try encodeResult(try await handle(RequestStream(call: call, decode: decode), context), encode)
            }
        }
    }

    /// Many messages in, many out, in any order. The stream ends when `handle` returns, whether or not the caller has
    /// closed its side.
    public mutating func bidirectionalStream<Req: Sendable, Res: Sendable>(
        service: String, method: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Req,
        handle: @escaping @Sendable (RequestStream<Req>, ResponseStream<Res>, CallContext) async throws -> Void,
        encode: @escaping @Sendable (Res) throws -> [UInt8]
    ) {
        add(service, method, .bidirectional) { _ in
            { context, call in
                let requests = RequestStream(call: call, decode: decode)
                try await handle(requests, ResponseStream(call: call, encode: encode), context)
                return []
            }
        }
    }

    /// The full names `service/method`, sorted.
    public var methodNames: [String] {
        methods.map { "\($0.service)/\($0.name)" }.sorted()
    }

    /// A later registration of the same name takes the place of the earlier one.
    private mutating func add(
        _ service: String, _ name: String, _ shape: Shape,
        _ prepare: @escaping @Sendable (UnsafeRawBufferPointer) -> Invocation
    ) {
        methods.removeAll { $0.service == service && $0.name == name }
        methods.append(Method(service: service, name: name, shape: shape, prepare: prepare))
    }
}

private func encodeResult<Res>(_ result: Res, _ encode: (Res) throws -> [UInt8]) throws -> [UInt8] {
    do {
        return try encode(result)
    } catch {
        throw RPCError(unencodable: error)
    }
}

extension RPCError {
    /// The argument of a call that its method cannot read. The decoder's own text says at which byte.
    init(undecodable error: any Error) {
        if let error = error as? RPCError {
            self = error
        } else {
            self.init(.invalidArgument, "the request does not decode: \(error)")
        }
    }

    init(unencodable error: any Error) {
        if let error = error as? RPCError {
            self = error
        } else {
            self.init(.internal, "the result does not encode: \(error)")
        }
    }
}
