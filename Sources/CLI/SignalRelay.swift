// SPDX-License-Identifier: Apache-2.0
internal import Client
internal import Glibc
internal import Synchronization

/// The signals that reach this process, as a sequence.
///
/// Handlers, not a blocked mask with sigwait(3): the mask is each thread's own, and the threads that run Swift's tasks
/// are made by others. A handler may call little more than `write`, so it sends the number down a pipe, and a thread
/// reads it there. That thread lets the signals in even if our parent has left us with all of them blocked.
enum SignalRelay {
    private static let pipeEnd = Atomic<Int32>(-1)

    /// Takes over the given signals for the rest of this process's life.
    static func start(_ signals: [Int32]) throws -> AsyncStream<Int32> {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { throw Failure("cannot make a pipe for signals: \(errnoText(errno))") }
        pipeEnd.store(ends[1], ordering: .releasing)

        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(SignalRelay.pipeEnd.load(ordering: .acquiring), &byte, 1)
            errno = saved
        }
        action.sa_flags = SA_RESTART
        for number in signals { sigaction(number, &action, nil) }

        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        let reader = Unmanaged.passRetained(
            PipeReader(descriptor: ends[0], signals: signals, continuation: continuation))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, readPipe, reader.toOpaque())
        if code != 0 {
            reader.release()
            throw Failure("cannot start a thread for signals: \(errnoText(code))")
        }
        pthread_detach(thread)
        return stream
    }
}

private final class PipeReader: Sendable {
    let descriptor: Int32
    let signals: [Int32]
    let continuation: AsyncStream<Int32>.Continuation

    init(descriptor: Int32, signals: [Int32], continuation: AsyncStream<Int32>.Continuation) {
        self.descriptor = descriptor
        self.signals = signals
        self.continuation = continuation
    }
}

private func readPipe(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let reader = Unmanaged<PipeReader>.fromOpaque(argument).takeRetainedValue()
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in reader.signals { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    var byte: UInt8 = 0
    while true {
        let count = read(reader.descriptor, &byte, 1)
        if count == 1 {
            reader.continuation.yield(Int32(byte))
        } else if count == 0 || errno != EINTR {
            reader.continuation.finish()
            return nil
        }
    }
}
