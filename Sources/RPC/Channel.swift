// SPDX-License-Identifier: Apache-2.0
internal import Kernel
internal import Reactor

/// A connected socket that frames go through: reads and cuts, queues and sends, and holds both within their limits.
/// `ServerConnection` and `ClientChannel` say what the frames mean. All of it happens on the reactor's thread.
class Channel: EventSource, TurnEnd {
    let reactor: Reactor
    let limits: Limits
    private(set) var isOpen = true
    /// Bytes of messages that have been received and not been taken.
    var inboundBytes = 0
    /// Bytes of other things that a subclass holds for the peer.
    var otherBytes: Int { 0 }
    private let budget: MemoryBudget?
    /// What the budget knows of.
    private var countedBytes = 0

    private var descriptor: Descriptor?
    private var token: SourceToken?
    private var decoder = FrameDecoder()
    private var output: OutputQueue
    private var sends = PendingSends()
    /// Descriptors that have come and whose frames have not.
    private var passed: [Int32] = []
    /// Input that was read before reading had to stop.
    private var backlog: [UInt8] = []
    private var mayHaveInput = false
    /// The peer sends no more; what it sent has still to be read.
    private var ends = false
    private var hungUp = false
    private var waitsForTurnEnd = false
    private var watchesOutput = false
    private var frameTimer: TimerToken?
    private var timedSequence: UInt64 = 0

    /// What the peer has made us refuse since the last look, and whether it waits for that.
    private var misuse = 0
    private var isPaused = false
    private var pauseTimer: TimerToken?

    /// Refusals after which a connection is left alone for a while: floods of requests that have to be refused, and
    /// gigabytes that have to be skipped, would otherwise take the time of those who behave.
    private static let misuseLimit = 16
    private static let shortestPause: Duration = .milliseconds(20)
    private static let longestPause: Duration = .seconds(1)
    /// The next pause. They grow while nothing else comes.
    private var pause = shortestPause

    /// What is thrown away of a frame that is too large: so much in a turn, because everybody else waits for that, and so
    /// much in a connection's life before it counts as misuse. A request of some megabytes may be a mistake.
    private static let skippedPerTurn = 64 << 10
    private static let skippedBeforeMisuse = 8 << 20
    private var skipped = 0

    /// Reads of one turn, so that a connection that never rests does not keep the others waiting.
    private static let readsPerTurn = 4
    /// Frames of one turn.
    private static let framesPerTurn = 64
    private var framesLeft = framesPerTurn

    init(reactor: Reactor, descriptor: consuming Descriptor, limits: Limits, budget: MemoryBudget? = nil) {
        self.reactor = reactor
        self.limits = limits
        self.budget = budget
        output = OutputQueue(spare: reactor.sendBlock)
        self.descriptor = consume descriptor
    }

    // MARK: For subclasses

    /// A frame has come. The data is valid during the call.
    func receive(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {}

    /// A frame that is too large has come, and is being skipped.
    func receiveOversized(_ header: FrameHeader) {}

    /// The socket has been closed. Called once.
    func didClose() {}

    /// The books are made up: at the end of each turn that changed something, and of the connection.
    func didCount() {}

    /// All that was queued has been sent.
    func didFlush() {}

    // MARK: Life

    /// Begins to read. Throws SystemError.
    func attach() throws {
        guard let number = descriptor?.raw else { return }
        token = try reactor.attach(number, interest, self)
    }

    private var interest: EpollEvents {
        let base: EpollEvents = [.readable, .peerClosed, .edgeTriggered]
        return watchesOutput ? base.union(.writable) : base
    }

    /// nil when it is closed.
    func peerProcess() throws(SystemError) -> Descriptor? {
        guard let number = descriptor?.raw else { return nil }
        return try UnixSocket.peerProcess(number)
    }

    /// Closes the socket now; what has not been sent is lost.
    func close() {
        guard isOpen else { return }
        isOpen = false
        if let token, let number = descriptor?.raw { reactor.detach(number, token) }
        descriptor = nil
        if let pauseTimer { reactor.unschedule(pauseTimer) }
        pauseTimer = nil
        if let frameTimer { reactor.unschedule(frameTimer) }
        frameTimer = nil
        output.removeAll()
        backlog = []
        decoder.dropBlocks()
        _ = PassedDescriptors(passed)
        passed = []
        let unsent = sends.takeAll()
        didClose()
        for entry in unsent { entry.fail() }
        budget?.forget(self)
        count()
    }

    /// Tells the budget what has changed.
    func count() {
        didCount()
        guard let budget else { return }
        let held = isOpen ? heldBytes : otherBytes
        if held == countedBytes { return }
        let change = held - countedBytes
        countedBytes = held
        budget.change(by: change)
    }

    private var heldBytes: Int { inboundBytes + output.count + decoder.heldBytes + backlog.count + otherBytes }

    func reactorStops() {
        close()
    }

    func ready(_ events: EpollEvents) {
        if events.contains(.writable) { flush() }
        if !events.isDisjoint(with: [.hangUp, .error]) { hungUp = true }
        if !events.isDisjoint(with: [.readable, .peerClosed, .hangUp, .error]) {
            mayHaveInput = true
            ends = ends || hungUp || events.contains(.peerClosed)
            read()
        }
    }

    /// Asks for a look at input and output before the loop waits again.
    func needTurnEnd() {
        guard !waitsForTurnEnd, isOpen else { return }
        waitsForTurnEnd = true
        reactor.atTurnEnd(self)
    }

    func turnEnds() {
        waitsForTurnEnd = false
        guard isOpen else { return }
        flush()
        if mayHaveInput || !backlog.isEmpty { read() }
        count()
    }

    // MARK: Input

    /// Reading stops while too much waits to be taken, here or at the peer.
    private var mayRead: Bool {
        isOpen && !isPaused && inboundBytes < limits.inboundBytes && output.count < limits.outboundBytes
            && isWithinBudget
    }

    private var isWithinBudget: Bool { budget?.admits(heldBytes) ?? true }

    private func read() {
        framesLeft = Self.framesPerTurn
        if !backlog.isEmpty, mayRead {
            let input = backlog
            backlog = []
            input.withUnsafeBytes { process($0) }
        }
        var left = Self.readsPerTurn
        while mayHaveInput, backlog.isEmpty, mayRead {
            if left == 0 {
                needTurnEnd()
                break
            }
            left = decoder.isSkipping ? 0 : left - 1
            readOnce()
        }
        if isOpen, framesLeft == 0, !backlog.isEmpty { needTurnEnd() }
        if misuse >= Self.misuseLimit { pauseReading() } else if misuse == 0 { pause = Self.shortestPause }
        misuse = 0
        // A peer that is gone takes no answers: nothing is worth waiting for.
        if isOpen, hungUp, !mayRead { close() }
        watchFrameTime()
        count()
        if isOpen, !isWithinBudget { budget?.wait(self) }
    }

    private func readOnce() {
        let wanted = decoder.wanted
        let isSkipping = decoder.isSkipping
        let block =
            isSkipping
            ? UnsafeMutableRawBufferPointer(rebasing: reactor.receiveBlock[..<Self.skippedPerTurn])
            : reactor.receiveBlock
        let result = transfer { (socket) throws(SystemError) in
            if limits.descriptors == 0 { return try UnixSocket.receive(socket, into: wanted, then: block) }
            return try UnixSocket.receive(socket, into: wanted, then: block) { passed.append($0) }
        }
        // Somebody who passes descriptors without frames for them.
        if passed.count > limits.descriptors { return close() }
        switch result {
        case .bytes(let count):
            // A stream socket that fills less than it was offered has no more, and will tell when it has (epoll(7)).
            // Of its end it has told already. With descriptors it stops behind each message that brought some.
            if count < wanted.count + block.count, !ends, limits.descriptors == 0 { mayHaveInput = false }
            let direct = min(count, wanted.count)
            decoder.filled(direct)
            process(UnsafeRawBufferPointer(rebasing: block[..<(count - direct)]))
            if decoder.isSkipping { noteSkipped(count) }
        case .wouldBlock: mayHaveInput = false
        case .closed: close()
        }
    }

    private func process(_ input: UnsafeRawBufferPointer) {
        var offset = 0
        while mayRead, framesLeft > 0, misuse < Self.misuseLimit {
            framesLeft -= 1
            switch decoder.next(input, &offset) {
            case .frame(let header, let data)?: receive(header, data)
            case .oversized(let header)?: receiveOversized(header)
            case nil: return
            }
        }
        if isOpen { backlog = Array(input[offset...]) }
    }

    /// The descriptors that came with a frame, which have to be taken for each frame. nil: it announces more than there
    /// are, and the connection has been closed.
    func takePassed(_ header: FrameHeader) -> PassedDescriptors? {
        let count = limits.descriptors == 0 ? 0 : header.flags.descriptorCount
        guard passed.count >= count else {
            close()
            return nil
        }
        defer { passed.removeFirst(count) }
        return PassedDescriptors(Array(passed.prefix(count)))
    }

    private func noteSkipped(_ bytes: Int) {
        skipped &+= bytes
        if skipped > Self.skippedBeforeMisuse { misuse += Self.misuseLimit }
    }

    /// The peer has asked for something that had to be refused.
    func noteMisuse() {
        misuse += 1
    }

    private func pauseReading() {
        guard isOpen, !isPaused else { return }
        isPaused = true
        // Not all at the same moment: those who were stopped together would come back together.
        let spread = pause * Double.random(in: 0.75..<1.25)
        pause = min(pause * 4, Self.longestPause)
        pauseTimer = reactor.schedule(.now + spread) { [weak self] in
            guard let self else { return }
            pauseTimer = nil
            isPaused = false
            needTurnEnd()
        }
    }

    /// Closes a connection whose frame stays half-read for too long. The timer is not taken back when a frame ends in
    /// time: it looks at the frame's number when it fires.
    private func watchFrameTime() {
        guard isOpen, frameTimer == nil, decoder.isInsideFrame else { return }
        timedSequence = decoder.sequence
        frameTimer = reactor.schedule(.now + limits.frameTime) { [weak self] in
            guard let self else { return }
            frameTimer = nil
            // While we do not read, the delay is ours; unless we do not because too much is half-read.
            let isRead = mayRead || !isWithinBudget
            if decoder.isInsideFrame, decoder.sequence == timedSequence, isRead { return close() }
            watchFrameTime()
        }
    }

    /// Messages have been taken: reading may go on.
    func took(_ bytes: Int) {
        let stopped = inboundBytes >= limits.inboundBytes
        inboundBytes -= bytes
        if stopped, inboundBytes < limits.inboundBytes { needTurnEnd() }
    }

    // MARK: Output

    /// Queues a frame. Its data is written by `write`, all `length` bytes of it.
    func queue(
        _ streamID: UInt32, _ type: FrameType, _ flags: FrameFlags, length: Int, passing: PassedDescriptors? = nil,
        _ write: (UnsafeMutableRawPointer) -> Void
    ) {
        guard isOpen, let target = output.append(FrameHeader.size + length, passing: passing) else { return }
        let flags = passing.map { flags.with(descriptors: $0.count) } ?? flags
        FrameHeader(length: length, streamID: streamID, type: type, flags: flags).write(to: target)
        write(target + FrameHeader.size)
        needTurnEnd()
    }

    /// Whether a frame may be queued now, without waiting behind others.
    var hasRoom: Bool { sends.isEmpty && mayQueue }

    /// What waits is held already: with an empty queue it may go, whatever the budget says.
    private var mayQueue: Bool { output.isEmpty || output.count < limits.outboundBytes && isWithinBudget }

    /// Lets a frame wait for room. `send` runs when there is some, `fail` when the connection closes or `failSends` is
    /// called for the stream.
    func waitForRoom(
        _ streamID: UInt32, send: @escaping () -> Void, fail: @escaping () -> Void
    ) -> PendingSends.Token {
        if !isWithinBudget { budget?.wait(self) }
        return sends.append(streamID, send: send, fail: fail)
    }

    func stopWaiting(_ token: PendingSends.Token) {
        sends.remove(token)
    }

    /// Fails the sends that wait for a stream that has ended.
    func failSends(_ streamID: UInt32) {
        if sends.isEmpty { return }
        for entry in sends.takeAll(streamID) { entry.fail() }
    }

    private func flush() {
        var blocked = false
        admitSends()
        while isOpen, !output.isEmpty, !blocked {
            switch sendOnce() {
            case .bytes(let count): output.consume(count)
            case .wouldBlock: blocked = true
            case .closed: return close()
            }
            admitSends()
        }
        guard isOpen else { return }
        output.settle()
        watchOutput(blocked)
        // Reading may have stopped for want of room.
        if !backlog.isEmpty || mayHaveInput, mayRead { needTurnEnd() }
        if output.isEmpty { didFlush() }
    }

    private func sendOnce() -> UnixSocket.Transfer {
        if let (piece, descriptors) = output.passing {
            return transfer { (socket) throws(SystemError) in
                try UnixSocket.send(socket, piece, passing: descriptors.raw)
            }
        }
        if let piece = output.onlyPiece {
            return transfer { (socket) throws(SystemError) in try UnixSocket.send(socket, piece) }
        }
        let pieces = output.pieces()
        return transfer { (socket) throws(SystemError) in try UnixSocket.send(socket, pieces) }
    }

    /// Queues frames that have waited, now that there is room.
    private func admitSends() {
        while isOpen, mayQueue, let entry = sends.takeFirst() {
            entry.send()
        }
    }

    private func watchOutput(_ wanted: Bool) {
        guard watchesOutput != wanted, let token, let number = descriptor?.raw else { return }
        watchesOutput = wanted
        do {
            try reactor.modify(number, interest, token)
        } catch {
            close()
        }
    }

    var hasUnsentBytes: Bool { !output.isEmpty || !sends.isEmpty }

    /// Any error of the socket is as final as the peer's going: nothing can be done on that socket any more.
    private func transfer(_ body: (Int32) throws(SystemError) -> UnixSocket.Transfer) -> UnixSocket.Transfer {
        guard let number = descriptor?.raw else { return .closed }
        do throws(SystemError) {
            return try body(number)
        } catch {
            return .closed
        }
    }
}
