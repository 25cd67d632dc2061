// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// What epoll reports and what it is asked for (epoll_ctl(2)). `error` and `hangUp` are reported unasked.
public struct EpollEvents: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let readable = EpollEvents(rawValue: GANTRY_EPOLLIN)
    public static let writable = EpollEvents(rawValue: GANTRY_EPOLLOUT)
    /// An exceptional condition: a changed cgroup file, a pressure trigger.
    public static let priority = EpollEvents(rawValue: GANTRY_EPOLLPRI)
    public static let error = EpollEvents(rawValue: GANTRY_EPOLLERR)
    public static let hangUp = EpollEvents(rawValue: GANTRY_EPOLLHUP)
    /// The peer has shut down its writing half.
    public static let peerClosed = EpollEvents(rawValue: GANTRY_EPOLLRDHUP)
    public static let edgeTriggered = EpollEvents(rawValue: GANTRY_EPOLLET)
}

/// An epoll instance (epoll(7)).
public struct Epoll: ~Copyable, Sendable {
    private let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try systemCall("epoll_create1") { epoll_create1(Int32(O_CLOEXEC)) })
    }

    /// `token` comes back with each event.
    public borrowing func add(_ target: Int32, _ events: EpollEvents, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, target, events, token)
    }

    public borrowing func modify(_ target: Int32, _ events: EpollEvents, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, target, events, token)
    }

    public borrowing func remove(_ target: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, target, [], 0)
    }

    private borrowing func control(
        _ operation: Int32, _ target: Int32, _ events: EpollEvents, _ token: UInt64
    ) throws(SystemError) {
        let epoll = descriptor.raw
        try systemCall("epoll_ctl", "descriptor \(target)") {
            gantry_epoll_control(epoll, operation, target, events.rawValue, token)
        }
    }

    /// Waits for events: at most `nanoseconds`, for ever when nil. A signal ends the wait early, without events.
    public borrowing func wait(into list: borrowing EpollEventList, nanoseconds: Int64?) throws(SystemError) -> Int {
        let epoll = descriptor.raw
        let count = gantry_epoll_wait(epoll, list.storage, Int32(list.capacity), nanoseconds ?? -1)
        if count >= 0 { return Int(count) }
        let code = Errno.current
        if code == .interrupted { return 0 }
        throw SystemError("epoll_pwait2", "", code)
    }
}

/// Room for the events of one wait.
public struct EpollEventList: ~Copyable {
    fileprivate let storage: UnsafeMutablePointer<epoll_event>
    fileprivate let capacity: Int

    public init(capacity: Int) {
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
        storage.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit {
        storage.deallocate()
    }

    public subscript(index: Int) -> (events: EpollEvents, token: UInt64) {
        precondition(index >= 0 && index < capacity)
        let events = EpollEvents(rawValue: gantry_epoll_events(storage, Int32(index)))
        return (events, gantry_epoll_token(storage, Int32(index)))
    }
}

/// An eventfd: a counter that makes its descriptor readable (eventfd(2)).
public struct EventCounter: ~Copyable, Sendable {
    private let descriptor: Descriptor

    public init() throws(SystemError) {
        let flags = Int32(O_CLOEXEC | O_NONBLOCK)
        descriptor = Descriptor(owning: try systemCall("eventfd") { eventfd(0, flags) })
    }

    public var raw: Int32 { descriptor.raw }

    /// Adds one. Cannot block: a counter at its maximum is readable already.
    public borrowing func signal() {
        let number = descriptor.raw
        var one: UInt64 = 1
        _ = try? systemCall("write", "eventfd") { write(number, &one, MemoryLayout<UInt64>.size) }
    }

    /// Sets the counter to zero and returns what it was.
    @discardableResult
    public borrowing func reset() -> UInt64 {
        let number = descriptor.raw
        var value: UInt64 = 0
        let count = try? systemCall("read", "eventfd") { read(number, &value, MemoryLayout<UInt64>.size) }
        return count == nil ? 0 : value
    }
}
