// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
public import SystemPackage

/// A system call that failed: which one, on what, and why.
public struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The call, as its manual page is named: `openat2`, `mount`.
    public var operation: String
    /// What it worked on: a path, a name, `pid 12`. May be empty.
    public var subject: String
    public var errno: Errno

    public init(_ operation: String, _ subject: String, _ errno: Errno) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
    }

    /// `openat2 /proc/self: ENOENT (No such file or directory)`
    public var description: String {
        let object = subject.isEmpty ? "" : " \(subject)"
        return "\(operation)\(object): \(errno.name) (\(errno.description))"
    }
}

extension Errno {
    /// The symbol, `ENOENT`; the number where libc has none.
    public var name: String {
        guard let symbol = gantry_errno_name(rawValue) else { return "errno \(rawValue)" }
        return String(cString: symbol)
    }

    /// The calling thread's `errno`. Valid only at once after a failed call.
    public static var current: Errno { Errno(rawValue: Glibc.errno) }
}

/// Runs a call that returns -1 and sets `errno` on failure, again and again while a signal interrupts it.
///
/// `errno` is read before anything else runs: Swift's own runtime may allocate between the call and a later read, and
/// libc is free to change `errno` then. Not for `close`, which must not be repeated (close(2)).
@discardableResult
public func systemCall<Result: SignedInteger & FixedWidthInteger>(
    _ operation: String, _ subject: @autoclosure () -> String = "", _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = Glibc.errno
        if code != EINTR { throw SystemError(operation, subject(), Errno(rawValue: code)) }
    }
}
