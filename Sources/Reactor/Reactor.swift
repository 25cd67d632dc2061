// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import Synchronization

/// One thread that waits on descriptors and runs tasks: an epoll loop that is the executor of tasks and actors.
///
/// **Tasks.** Start a task with `reactor.task { }` or `Task(executorPreference: reactor)`. Its nonisolated and default
/// actor code then runs on the reactor's thread, child tasks included, and stays there when a continuation resumes it.
///
/// **Actors.** An actor lives on the reactor when it says so:
/// ```swift
/// actor Registry {
///     private let reactor: Reactor
///     nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
/// }
/// ```
/// Its methods run on the reactor whoever calls them. That alone is not enough for speed: Swift 6.3 resumes a
/// continuation inside such an actor by way of the global pool, and so does a call of a nonisolated async function,
/// unless the *task* prefers the reactor too.
///
/// **Life.** `start` (or `run` on a thread of the caller's), then `stop` and `join`. Stopping makes waits in progress
/// throw CancellationError, closes the servers and clients that use the reactor, and runs the tasks until none can go
/// on. A task that something else resumes later still runs, one at a time, on a short-lived thread.
public final class Reactor: TaskExecutor, @unchecked Sendable {
    /// What other threads leave for the reactor.
    struct Inbox {
        var jobs: [QueuedJob] = []
        var bodies: [@Sendable () -> Void] = []
        var stops = false
        var phase = Phase.notStarted
        /// Jobs that came from other threads, ever.
        var foreignJobs: UInt64 = 0
    }

    enum Phase {
        case notStarted, running
        /// The loop has ended. `drains`: a thread runs what came in since.
        case ended(drains: Bool)
    }

    let name: String
    let isolation = ReactorIsolation()
    let epoll: Epoll
    let inbox = Locked(Inbox())
    /// The loop blocks in epoll, or is about to: whoever posts has to signal, once. Set while the inbox is locked and
    /// empty; the loop takes it back without the lock, at the price of a signal too many.
    private let sleeps = Atomic<Bool>(false)
    /// The identity of the thread that runs the loop; 0 when none does.
    let owner = Atomic<UInt>(0)
    private let wakeUp: EventCounter
    private let thread = Mutex<Thread?>(nil)

    // What follows belongs to the thread that runs the loop.
    var ring = JobRing()
    var timers = TimerHeap<() -> Void>()
    var sources = SourceTable()
    var waits: [Int32: DescriptorWaits] = [:]
    /// `stop` has been seen; new waits fail.
    var stopping = false
    private var turnEnds: [any TurnEnd] = []
    private var spareTurnEnds: [any TurnEnd] = []

    /// Room for one read of whoever reads on this thread, so that idle connections hold none. What was read has to be
    /// used or copied before the next read.
    package let receiveBlock = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

    /// The same for what is written.
    package let sendBlock = SpareBlock()

    private static let wakeUpToken = UInt64.max
    /// Jobs that run before the loop looks at its descriptors again, so that tasks that never rest do not starve them.
    private static let jobsPerTurn = 1_024

    /// Throws SystemError when the process is out of descriptors.
    public init(name: String = "reactor") throws {
        self.name = name
        epoll = try Epoll()
        wakeUp = try EventCounter()
        isolation.reactor = self
        try epoll.add(wakeUp.raw, [.readable, .edgeTriggered], token: Self.wakeUpToken)
    }

    deinit {
        receiveBlock.deallocate()
    }

    /// Starts the reactor's own thread. Throws SystemError. Once only.
    public func start() throws {
        try thread.withLock { $0 = try Thread(name) { self.run() } }
    }

    /// Runs on the calling thread until `stop`. Instead of `start`, and once only.
    public func run() {
        let mayRun = inbox.withLock { inbox in
            guard case .notStarted = inbox.phase else { return false }
            inbox.phase = .running
            return true
        }
        precondition(mayRun, "a reactor runs once")
        owner.store(Thread.currentIdentity, ordering: .relaxed)
        loop()
        owner.store(0, ordering: .relaxed)
        // What was enqueued in the last moment goes the way of all that comes later.
        let late = inbox.withLock { inbox in
            let late = !inbox.jobs.isEmpty || !inbox.bodies.isEmpty
            inbox.phase = .ended(drains: late)
            return late
        }
        if late { drain() }
    }

    /// Asks the reactor to end. From any thread, also from the reactor's own, any number of times.
    public func stop() {
        post { $0.stops = true }
    }

    /// Waits for the end of the thread that `start` made. Not from that thread.
    public func join() {
        if let thread = thread.withLock({ $0.take() }) { thread.join() }
    }

    /// Whether the caller runs on the reactor's thread.
    package var isCurrent: Bool {
        owner.load(ordering: .relaxed) == Thread.currentIdentity
    }

    /// How many jobs other threads have queued since the reactor was made. Calls that hop between threads show here.
    public var jobsFromOtherThreads: UInt64 { inbox.withLock { $0.foreignJobs } }

    /// Calls `turnEnds` once, before the loop waits again. On the reactor's thread.
    package func atTurnEnd(_ object: any TurnEnd) {
        turnEnds.append(object)
    }

    /// What is sent is sent last, right before the loop waits: whoever is woken by it often finds no other processor than
    /// this one free, and each microsecond that is spent here then costs the answer two or three.
    private func loop() {
        let events = EpollEventList(capacity: 256)
        while true {
            runJobs()
            fireTimers()
            takeInbox()
            if stopping, isIdle, isQuiet() { return }
            runTurnEnds()
            waitForEvents(events)
        }
    }

    private func runJobs() {
        var left = Self.jobsPerTurn
        while left > 0, let job = ring.popFirst() {
            run(job)
            left -= 1
        }
    }

    private func runTurnEnds() {
        guard !turnEnds.isEmpty else { return }
        swap(&turnEnds, &spareTurnEnds)
        for object in spareTurnEnds { object.turnEnds() }
        spareTurnEnds.removeAll(keepingCapacity: true)
    }

    private func fireTimers() {
        guard !timers.isEmpty else { return }
        let now = ContinuousClock.now
        while let action = timers.popExpired(now) { action() }
    }

    /// A reactor that stops waits for no deadline: its timers fire at once.
    private var isIdle: Bool { ring.isEmpty && turnEnds.isEmpty && timers.isEmpty }

    private func isQuiet() -> Bool {
        inbox.withLock { $0.jobs.isEmpty && $0.bodies.isEmpty }
    }

    /// Takes what others have left. If that is nothing, and there is nothing else to do, the loop sleeps from here on.
    private func takeInbox() {
        let mayRest = ring.isEmpty && !stopping
        let (jobs, bodies, stops) = inbox.withLock { inbox in
            let isEmpty = inbox.jobs.isEmpty && inbox.bodies.isEmpty && inbox.stops == stopping
            if isEmpty {
                if mayRest { sleeps.store(true, ordering: .relaxed) }
                return ([QueuedJob](), [@Sendable () -> Void](), stopping)
            }
            return (inbox.jobs.takeAll(), inbox.bodies.takeAll(), inbox.stops)
        }
        for job in jobs { ring.append(job) }
        for body in bodies { body() }
        if stops, !stopping { beginToStop() }
    }

    private func beginToStop() {
        stopping = true
        for action in timers.removeAll() { action() }
        for source in sources.all { source.reactorStops() }
    }

    private func waitForEvents(_ events: borrowing EpollEventList) {
        var nanoseconds: Int64? = 0
        if ring.isEmpty, turnEnds.isEmpty, sleeps.load(ordering: .relaxed) {
            nanoseconds = timers.next.map { ContinuousClock.now.duration(to: $0).boundedNanoseconds }
        }
        // epoll_pwait2 fails only on wrong arguments; the loop could not go on then.
        guard let count = try? epoll.wait(into: events, nanoseconds: nanoseconds) else {
            preconditionFailure("epoll_pwait2 refused its arguments")
        }
        sleeps.store(false, ordering: .relaxed)
        for index in 0..<count {
            let event = events[index]
            if event.token == Self.wakeUpToken { continue }
            sources[SourceToken(rawValue: event.token)]?.ready(event.events)
        }
    }

    /// Changes the inbox and sees to it that somebody looks at it.
    func post(_ change: (inout Inbox) -> Void) {
        let (signal, drains) = inbox.withLock { inbox in
            change(&inbox)
            if case .ended(drains: false) = inbox.phase {
                inbox.phase = .ended(drains: true)
                return (false, true)
            }
            return (sleeps.exchange(false, ordering: .relaxed), false)
        }
        if signal { wakeUp.signal() }
        if drains { startDrain() }
    }

    private func startDrain() {
        do {
            _ = try Thread(name) { self.drain() }
        } catch {
            // No thread to be had: the caller's has to do.
            drain()
        }
    }

    /// Runs what comes in after the loop's end, until nothing does. One thread at a time.
    private func drain() {
        owner.store(Thread.currentIdentity, ordering: .relaxed)
        while true {
            takeInbox()
            runJobs()
            runTurnEnds()
            fireTimers()
            let ends = inbox.withLock { inbox in
                guard inbox.jobs.isEmpty, inbox.bodies.isEmpty, isIdle else { return false }
                owner.store(0, ordering: .relaxed)
                inbox.phase = .ended(drains: false)
                return true
            }
            if ends { return }
        }
    }
}

extension Array {
    fileprivate mutating func takeAll() -> [Element] {
        if isEmpty { return [] }
        let all = self
        self = []
        return all
    }
}

extension Duration {
    /// The whole nanoseconds, rounded up, at least 0 and at most about a day: what epoll is told to wait.
    var boundedNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        if seconds >= 86_400 { return 86_400_000_000_000 }
        return seconds * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000
    }
}
