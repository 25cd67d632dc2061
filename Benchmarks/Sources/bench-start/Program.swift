// SPDX-License-Identifier: Apache-2.0
import Glibc

struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// A contestant that is a program: one run of it is one container from start to removal. It is a child of this program,
/// which is what an engine that calls an OCI runtime pays. posix_spawn(3) shares the address space until the exec, so that
/// our size costs it nothing.
struct Program {
    /// As it shows in the table.
    let name: String
    let arguments: [String]
    /// The processor time of all its runs and of what they waited for, in milliseconds (wait4(2)).
    private(set) var processorTime = 0.0

    init(_ name: String, _ arguments: [String]) {
        self.name = name
        self.arguments = arguments
    }

    /// Throws BenchError when it did not end with 0.
    mutating func once() throws {
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let failed = posix_spawn(&pid, arguments[0], nil, nil, words, environ)
        guard failed == 0 else { throw BenchError("spawn \(arguments[0]): errno \(failed)") }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) == -1 {
            guard errno == EINTR else { throw BenchError("wait for \(name): errno \(errno)") }
        }
        guard status == 0 else { throw BenchError("\(name) ended with wait status \(status)") }
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        processorTime += seconds * 1e3 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3
    }
}
