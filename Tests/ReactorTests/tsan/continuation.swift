// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Values handed to a task by threads that resume its continuation, and nothing else that is shared: what
/// ThreadSanitizer says of this program it says of Swift's library. With `throws` they come as errors.
@main
struct Continuation {
    static func main() async {
        var sum = 0
        for number in 0..<20_000 {
            do {
                let values: [Int] = try await withUnsafeThrowingContinuation { resume($0, with: number) }
                sum += values[0]
            } catch {
                sum += (error as? Odd)?.values[0] ?? 0
            }
        }
        print(sum)
    }

    private static func resume(_ continuation: UnsafeContinuation<[Int], any Error>, with number: Int) {
        let context = Unmanaged.passRetained(Answer(continuation: continuation, number: number)).toOpaque()
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Answer>.fromOpaque(context).takeRetainedValue().give() }
                return nil
            }, context)
        pthread_detach(thread)
    }
}

private struct Odd: Error {
    var values: [Int]
}

private final class Answer: Sendable {
    private let continuation: UnsafeContinuation<[Int], any Error>
    private let number: Int

    init(continuation: UnsafeContinuation<[Int], any Error>, number: Int) {
        self.continuation = continuation
        self.number = number
    }

    func give() {
        if number % 2 == 1 {
            continuation.resume(throwing: Odd(values: [number]))
        } else {
            continuation.resume(returning: [number])
        }
    }
}
