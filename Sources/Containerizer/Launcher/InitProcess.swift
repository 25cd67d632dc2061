// SPDX-License-Identifier: Apache-2.0

public import Core
import Kernel
import Reactor
import Synchronization
import SystemPackage
public import Wire

/// A container's first process, seen from the daemon: a pidfd and the control socket (docs/protocol.md).
public final class InitProcess: ContainerProcess {
    public let pid: Int32
    private let process: ProcessDescriptor
    private let control: Descriptor
    private let reactor: Reactor
    /// What of a large plan is still to be sent.
    private let unsent: ArraySlice<UInt8>
    private let handshake = Mutex(Handshake())
    private let ending = Promise<Int32?>()

    init(
        pid: Int32, process: consuming ProcessDescriptor, control: consuming Descriptor, unsent: ArraySlice<UInt8>,
        reactor: Reactor
    ) {
        self.pid = pid
        self.process = process
        self.control = control
        self.unsent = unsent
        self.reactor = reactor
    }

    /// For entering its namespaces.
    var descriptor: Int32 { process.raw }

    public func signal(_ number: Int32) throws {
        try process.signal(number)
    }

    public func exit() async throws -> Int32? {
        do {
            let status = try await reaped()
            ending.settle(.success(status))
            return status
        } catch {
            ending.settle(.failure(error))
            throw error
        }
    }

    private func reaped() async throws -> Int32? {
        while true {
            switch try process.reap() {
            case .ended(let status): return status
            case .notOurChild: return nil
            case .running: try await reactor.readable(process.raw)
            }
        }
    }

    /// `exit` has returned.
    var hasEnded: Bool { ending.settled != nil }

    /// Returns when `exit` does, which somebody is waiting in from the beginning.
    func ended() async throws {
        _ = try await ending.value()
    }

    public func release() async throws {
        try handshake.withLock { try $0.onRelease() }
        var rest = try Self.send(unsent + [0], on: control.raw)
        while !rest.isEmpty {
            try await reactor.writable(control.raw)
            rest = try Self.send(rest, on: control.raw)
        }
    }

    /// The plan as init reads it.
    static func message(plan: [UInt8]) -> ArraySlice<UInt8> {
        var message: [UInt8] = []
        message.reserveCapacity(plan.count + 4)
        message.append(littleEndian: UInt32(clamping: plan.count))
        return (message + plan)[...]
    }

    /// Sends what the socket takes now; returns the rest. An init that is dead already takes everything: that shows in
    /// its exit, as any death after the release does.
    static func send(_ message: ArraySlice<UInt8>, on control: Int32) throws -> ArraySlice<UInt8> {
        var rest = message
        while !rest.isEmpty {
            let transfer = try rest.withUnsafeBytes { bytes in
                try UnixSocket.send(control, CollectionOfOne(bytes))
            }
            switch transfer {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: return rest
            case .closed: return []
            }
        }
        return []
    }

    public func report() async throws -> Gantry.Init.V1.Report? {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        reading: while received.count <= Self.reportLimit {
            let transfer = try buffer.withUnsafeMutableBytes { bytes throws(SystemError) in
                try UnixSocket.receive(
                    control.raw, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<0]), then: bytes)
            }
            switch transfer {
            case .bytes(let count): received += buffer[..<count]
            case .wouldBlock: try await reactor.readable(control.raw)
            case .closed: break reading
            }
        }
        handshake.withLock { $0.onEnd() }
        guard received.count >= 4 else { return nil }
        let length = Int(UInt32(littleEndian: received, at: 0))
        guard received.count >= 4 + length else { return nil }
        return try Gantry.Init.V1.Report(decoding: Array(received[4..<4 + length]))
    }

    private static let reportLimit = 64 << 10
}

/// The order of messages on the control socket, as the daemon must keep it.
struct Handshake {
    private enum State {
        case cloned, released, ended
    }

    private var state = State.cloned

    /// The release is sent once.
    mutating func onRelease() throws(ContainerError) {
        guard case .cloned = state else {
            throw ContainerError(
                .internal, code: "launch.released-twice", "the container was released before", step: "release",
                subject: "init")
        }
        state = .released
    }

    /// Init has closed its side: it executes the command, or it is gone.
    mutating func onEnd() {
        state = .ended
    }
}
