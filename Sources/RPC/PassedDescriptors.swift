// SPDX-License-Identifier: Apache-2.0
public import Kernel
internal import Reactor

/// Descriptors on their way with a call (SCM_RIGHTS, unix(7)). Those that nobody takes are closed with it.
public final class PassedDescriptors: Sendable {
    /// As many as a frame's flags can tell.
    public static let limit = 15

    /// The metadata key of a request whose caller takes descriptors with the answer.
    static let key = "gantry-descriptors"
    static let none = PassedDescriptors()

    private let numbers: Locked<[Int32]>

    init(_ numbers: [Int32] = []) {
        self.numbers = Locked(numbers)
    }

    deinit {
        for number in take() { _ = Descriptor(owning: number) }
    }

    public var count: Int { numbers.withLock { $0.count } }

    /// All of them, in their order. The caller owns them; a second call gets none.
    public func take() -> [Int32] {
        numbers.withLock { numbers in
            defer { numbers = [] }
            return numbers
        }
    }

    /// What is to be sent; they stay ours.
    var raw: [Int32] { numbers.withLock { $0 } }

    /// Takes over what others hold.
    func adopt(_ others: PassedDescriptors) {
        let more = others.take()
        numbers.withLock { $0 += more }
    }

    /// Adds one. RESOURCE_EXHAUSTED when there are 15.
    public func add(_ descriptor: consuming Descriptor) throws {
        if self === PassedDescriptors.none { throw RPCError(.failedPrecondition, "nothing is sent from here") }
        let number = descriptor.release()
        let isFull = numbers.withLock { numbers in
            if numbers.count == Self.limit { return true }
            numbers.append(number)
            return false
        }
        guard isFull else { return }
        _ = Descriptor(owning: number)
        throw RPCError(.resourceExhausted, "a call takes at most \(Self.limit) descriptors")
    }
}
