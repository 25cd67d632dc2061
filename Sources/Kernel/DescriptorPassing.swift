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
