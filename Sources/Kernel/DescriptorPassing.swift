// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// Two connected Unix sockets, close-on-exec (socketpair(2)): ours, non-blocking, and one to give away.
public struct SocketPair: ~Copyable, Sendable {
    public enum Kind: Sendable { case stream, packets }

    private let ours: Descriptor
    private let other: Descriptor

    public init(_ kind: Kind) throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        let type = kind == .stream ? GANTRY_SOCK_STREAM : GANTRY_SOCK_SEQPACKET
        try systemCall("socketpair") {
            withUnsafeMutableBytes(of: &ends) {
                socketpair(
                    AF_UNIX, Int32(type) | Int32(GANTRY_SOCK_CLOEXEC), 0,
                    $0.bindMemory(to: Int32.self).baseAddress)
            }
        }
        ours = Descriptor(owning: ends.0)
        other = Descriptor(owning: ends.1)
        _ = fcntl(ends.0, F_SETFL, O_NONBLOCK)
    }

    /// Ours; it stays the pair's until `keepOurs`.
    public var own: Int32 { ours.raw }

    /// The end to give away.
    public var theirs: Int32 { other.raw }

    /// Our end; the other one is closed here.
    public consuming func keepOurs() -> Descriptor { ours }
}

extension UnixSocket {
    /// The most descriptors that one call passes.
    public static let passedLimit = Int(GANTRY_MAX_PASSED)

    /// As `receive` without them: also takes the descriptors that came with the bytes, which the caller owns. EPROTO
    /// when the kernel had to drop some.
    public static func receive(
        _ number: Int32, into first: UnsafeMutableRawBufferPointer, then second: UnsafeMutableRawBufferPointer,
        passed: (Int32) -> Void
    ) throws(SystemError) -> Transfer {
        var buffers = [
            iovec(iov_base: first.baseAddress, iov_len: first.count),
            iovec(iov_base: second.baseAddress, iov_len: second.count),
        ]
        var descriptors = [Int32](repeating: -1, count: passedLimit)
        var count: Int32 = 0
        let result = try transfer("recvmsg", number, whenZero: .closed) {
            gantry_receive_passed(number, &buffers, 2, &descriptors, &count)
        }
        if count < 0 { throw SystemError("recvmsg", "descriptors", .protocolError) }
        for descriptor in descriptors.prefix(Int(count)) { passed(descriptor) }
        return result
    }

    /// Writes a buffer, and passes copies of the descriptors with its first byte: if any is written, they are, too.
    public static func send(
        _ number: Int32, _ buffer: UnsafeRawBufferPointer, passing descriptors: [Int32]
    ) throws(SystemError) -> Transfer {
        try transfer("sendmsg", number, whenZero: .bytes(0)) {
            descriptors.withUnsafeBufferPointer {
                gantry_send_descriptors(number, buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
            }
        }
    }
}

/// Messages with descriptors (SCM_RIGHTS, unix(7)). Neither call blocks.
public enum DescriptorPassing {
    /// - Returns: false when the socket has no room now; epoll will tell.
    public static func send(
        _ bytes: [UInt8], _ descriptors: [Int32], on socket: Int32
    ) throws(SystemError) -> Bool {
        do {
            try systemCall("sendmsg") {
                bytes.withUnsafeBytes { message in
                    descriptors.withUnsafeBufferPointer {
                        gantry_send_descriptors(socket, message.baseAddress, message.count, $0.baseAddress, $0.count)
                    }
                }
            }
            return true
        } catch  where error.errno == .wouldBlock {
            return false
        }
    }

    /// - Returns: nil when nothing has arrived; else the bytes, none at the end of the connection, and the raw
    ///   descriptor that came with them, or -1. The caller owns it.
    public static func receive(atMost limit: Int, on socket: Int32) throws(SystemError) -> ([UInt8], Int32)? {
        var bytes = [UInt8](repeating: 0, count: limit)
        var descriptor: Int32 = -1
        do {
            let count = try systemCall("recvmsg") {
                bytes.withUnsafeMutableBytes {
                    gantry_receive_descriptor(socket, $0.baseAddress, $0.count, &descriptor)
                }
            }
            return (Array(bytes.prefix(count)), descriptor)
        } catch  where error.errno == .wouldBlock {
            return nil
        }
    }
}
