// SPDX-License-Identifier: Apache-2.0
import Glibc

struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// `crun run`, which creates, starts, waits and deletes, as a child of this program: what an engine that calls an OCI
/// runtime pays. posix_spawn(3) shares the address space until the exec, so that our size costs crun nothing.
struct Crun {
    let path: String
    let bundle: String
    let state: String

    /// One container from start to removal. Throws BenchError when it did not end with 0.
    func once() throws {
        let arguments = [path, "--root", state, "run", "--bundle", bundle, "gantry-bench"]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let failed = posix_spawn(&pid, path, nil, nil, words, environ)
        guard failed == 0 else { throw BenchError("spawn \(path): errno \(failed)") }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 {
            guard errno == EINTR else { throw BenchError("wait for crun: errno \(errno)") }
        }
        guard status == 0 else { throw BenchError("crun ended with wait status \(status)") }
    }

    /// The processor time of all children so far, in milliseconds (getrusage(2)).
    static func processorTime() -> Double {
        var usage = rusage()
        _ = getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds * 1e3 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3
    }
}
