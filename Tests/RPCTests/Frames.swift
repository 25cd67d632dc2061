// SPDX-License-Identifier: Apache-2.0
@testable import RPC

/// A frame as it travels.
func frame(
    _ streamID: UInt32, _ type: UInt8, _ flags: UInt8 = 0, _ data: [UInt8] = [], length: UInt32? = nil
) -> [UInt8] {
    var bytes: [UInt8] = []
    for value in [length ?? UInt32(data.count), streamID] {
        bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
    return bytes + [type, flags] + data
}

extension OutgoingRequest: Equatable {
    static func == (left: OutgoingRequest, right: OutgoingRequest) -> Bool {
        encoded(left) == encoded(right)
    }
}

func encoded(_ request: OutgoingRequest) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: request.encodedSize) { buffer, count in
        count = request.encodedSize
        if let start = buffer.baseAddress { request.encode(to: UnsafeMutableRawPointer(start)) }
    }
}

func encoded(_ response: ResponseEnvelope) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: response.encodedSize) { buffer, count in
        count = response.encodedSize
        if let start = buffer.baseAddress { response.encode(to: UnsafeMutableRawPointer(start)) }
    }
}

extension ClientConnection {
    func call(_ method: String, _ payload: Bytes, _ options: CallOptions = CallOptions()) async throws -> Bytes {
        Bytes(try await unary(service: echo, method: method, payload: payload.value, options: options))
    }
}
