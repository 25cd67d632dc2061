// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import Reactor
import Testing

@testable import RPC

/// One end of a socket that says exactly what a test tells it to.
final class RawPeer: Sendable {
    let descriptor: Descriptor
    private let reactor: Reactor

    init(_ descriptor: consuming Descriptor, _ reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
    }

    convenience init(_ server: TestServer) throws {
        let socket = try UnixSocket.make()
        guard try UnixSocket.connect(socket, server.path) else { throw Refused(offset: -2) }
        self.init(socket, server.reactor)
    }

    /// Returns false when the other side has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) async throws -> Bool {
        var start = 0
        while start < bytes.count {
            let result = try bytes.withUnsafeBytes {
                try UnixSocket.send(descriptor.raw, [UnsafeRawBufferPointer(rebasing: $0[start...])])
            }
            switch result {
            case .bytes(let count): start += count
            case .wouldBlock: try await reactor.writable(descriptor.raw)
            case .closed: return false
            }
        }
        return true
    }

    /// As many bytes as the socket takes without blocking, at most these.
    func sendNow(_ bytes: [UInt8]) throws -> Int {
        let result = try bytes.withUnsafeBytes { try UnixSocket.send(descriptor.raw, [$0]) }
        if case .bytes(let count) = result { return count }
        return 0
    }

    /// Exactly that many bytes; nil when the other side closes before.
    func receive(_ count: Int) async throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var start = 0
        while start < count {
            let result = try bytes.withUnsafeMutableBytes {
                try UnixSocket.receive(
                    descriptor.raw, into: UnsafeMutableRawBufferPointer(start: nil, count: 0),
                    then: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
            }
            switch result {
            case .bytes(let count): start += count
            case .wouldBlock: try await reactor.readable(descriptor.raw)
            case .closed: return nil
            }
        }
        return bytes
    }

    func receiveFrame() async throws -> (header: FrameHeader, data: [UInt8])? {
        guard let head = try await receive(FrameHeader.size) else { return nil }
        let header = head.withUnsafeBytes { FrameHeader($0) }
        guard header.length > 0 else { return (header, []) }
        guard let data = try await receive(Int(header.length)) else { return nil }
        return (header, data)
    }

    /// The next frame, which has to be a response: `1 OK hello` or `3 NOT_FOUND text`; `closed` at the end.
    func receiveResponse() async throws -> String {
        guard let (header, data) = try await receiveFrame() else { return "closed" }
        guard header.type == .response, header.flags == [] else { return "\(header)" }
        return try data.withUnsafeBytes { bytes in
            switch try ResponseEnvelope(decoding: bytes) {
            case .payload(let payload): "\(header.streamID) OK \(String(decoding: payload, as: UTF8.self))"
            case .status(let status): "\(header.streamID) \(status.code) \(status.message)"
            }
        }
    }
}

/// A request frame to the echo service.
func request(
    _ streamID: UInt32, _ method: String, _ payload: Bytes = "", flags: UInt8 = 0, timeout: Int64 = 0,
    service: String = echo
) -> [UInt8] {
    let envelope = OutgoingRequest(
        service: service, method: method, payload: payload.value, timeoutNanoseconds: timeout, metadata: Metadata())
    return frame(streamID, 1, flags, encoded(envelope))
}
