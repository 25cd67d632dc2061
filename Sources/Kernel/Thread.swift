// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// A thread of our own. Every signal is blocked on it, so that signals reach whoever waits for them (signal(7)).
public struct Thread: ~Copyable, Sendable {
    private let handle: UInt

    /// Starts `body` on a new thread. The kernel shows 15 bytes of the name.
    public init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let context = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let code = gantry_thread_start(
            &thread, name,
            { context in
                Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        if code != 0 {
            context.release()
            throw SystemError("pthread_create", name, Errno(rawValue: code))
        }
        handle = thread
    }

    /// Waits for the end of the thread. Not from the thread itself.
    public consuming func join() {
        pthread_join(handle, nil)
        discard self
    }

    /// A thread that nobody joins goes on, and frees its stack at its end.
    deinit {
        pthread_detach(handle)
    }

    /// The calling thread's identity: never 0, and not used again while the thread lives.
    public static var currentIdentity: UInt { pthread_self() }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
