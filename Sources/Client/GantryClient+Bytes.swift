// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import RPC
internal import Reactor
internal import SystemPackage

/// A stream of a method that the caller knows only by name: encoded messages in both directions. One reader and one
/// writer at a time.
public struct ByteExchange: Sendable {
    private let stream: ClientStream

    init(_ stream: ClientStream) {
        self.stream = stream
    }

    /// Waits while the connection holds more than its limit of unsent bytes. Throws ClientError.
    public func send(_ request: [UInt8]) async throws {
        do { try await stream.send(request) } catch { throw ClientError(error) }
    }

    /// Tells the server that no more requests come.
    public func closeSend() {
        stream.closeSend()
    }

    /// The next response; nil at the end. Throws ClientError.
    public func next() async throws -> [UInt8]? {
        do { return try await stream.next() } catch { throw ClientError(error) }
    }
}

/// Calls of methods that the caller was not built for. All throw ClientError.
extension GantryClient {
    /// One message in, one message out. `timeout` nil: for ever.
    public func call(
        service: String, method: String, _ request: [UInt8], timeout: Duration? = nil
    ) async throws -> [UInt8] {
        let connection = try await connection()
        do {
            return try await connection.unary(
                service: service, method: method, payload: request, options: CallOptions(timeout: timeout))
        } catch {
            throw ClientError(error)
        }
    }

    /// Opens a stream: with a request one that only the server goes on to send on.
    public func open(
        service: String, method: String, _ request: [UInt8]?, timeout: Duration? = nil
    ) async throws -> ByteExchange {
        let connection = try await connection()
        do {
            return ByteExchange(
                try await connection.stream(
                    service: service, method: method, payload: request, options: CallOptions(timeout: timeout)))
        } catch {
            throw ClientError(error)
        }
    }
}

extension GantryClient {
    /// Returns when a descriptor can be read without blocking; at once for a regular file. It stays open meanwhile.
    public func waitUntilReadable(_ descriptor: Int32) async throws {
        do {
            try await reactor().readable(descriptor)
        } catch let error as SystemError where error.errno == .notPermitted {
            // epoll_ctl(2) refuses files that are always ready.
        }
    }
}

extension GantryClient {
    /// Runs `body` on the client's own thread, where its calls end: no answer has to wake another thread first.
    public func onItsThread<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        let task = try reactor().task(body)
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
