// SPDX-License-Identifier: Apache-2.0
public import Kernel
internal import Reactor

/// Who is at the other end of a connection: SO_PEERCRED, taken when the connection was accepted (unix(7)).
///
/// The pid may belong to another process by now; the ids are those that the peer had when it connected.
public struct PeerCredentials: Hashable, Sendable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32

    public init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// Key-value pairs that travel with a request. Keys may repeat; values keep their order.
public struct Metadata: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    public struct Entry: Hashable, Sendable {
        public var key: String
        public var value: String

        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        entries = elements.map { Entry(key: $0.0, value: $0.1) }
    }

    /// The values of a key, compared without regard to case, in the order in which they were sent.
    public subscript(key: String) -> [String] {
        let wanted = key.lowercased()
        return entries.filter { $0.key.lowercased() == wanted }.map(\.value)
    }
}

/// What a handler and an interceptor may know about the call they serve.
public struct CallContext: Sendable {
    /// Unique among all calls of one server.
    public var id: UInt64
    /// The full protobuf name: `gantry.v1.Containerizer`.
    public var service: String
    /// The bare method name: `Launch`.
    public var method: String
    public var metadata: Metadata
    /// When the caller stops waiting. The task of the call is cancelled then.
    public var deadline: ContinuousClock.Instant?
    /// nil only where a test calls a handler without a socket.
    public var peer: PeerCredentials?

    /// The descriptors that the caller has passed with the request; none unless the server takes any
    /// (`Limits.descriptors`).
    public internal(set) var descriptors = PassedDescriptors.none
    /// Where the handler of a unary call puts descriptors that are to go with its answer. nil: the caller has not asked
    /// for any.
    public internal(set) var answerDescriptors: PassedDescriptors?

    /// For metrics: when the call began.
    var started: ContinuousClock.Instant?
    /// For metrics: the method's place in the server's table; -1 outside of a server.
    var methodIndex = -1

    /// The connection, for questions about its other end.
    var connection: ServerConnection?

    /// A descriptor of the process at the other end, which never comes to mean another one (SO_PEERPIDFD). nil: the
    /// connection is closed, or the kernel is older than 6.5. From any task.
    public func peerProcess() async throws -> ProcessDescriptor? {
        guard let connection, let peer else { return nil }
        let raw = try await connection.reactor.suspend { (_, waiter: Waiter<Int32?>) in
            waiter.finish(.success(try connection.peerProcess()?.release()))
            return {}
        }
        return raw.map { ProcessDescriptor(owning: Descriptor(owning: $0), pid: peer.pid) }
    }

    public init(
        id: UInt64 = 0, service: String, method: String, metadata: Metadata = Metadata(),
        deadline: ContinuousClock.Instant? = nil, peer: PeerCredentials? = nil
    ) {
        self.id = id
        self.service = service
        self.method = method
        self.metadata = metadata
        self.deadline = deadline
        self.peer = peer
    }
}
