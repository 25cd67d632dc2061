// SPDX-License-Identifier: Apache-2.0
import Glibc
import Reactor

/// The built program `gantry` as a child of the tests.
struct RunningProgram {
    struct Result: Equatable {
        var code: Int32
        var output: String
        var error: String
    }

    struct StartError: Error {
        var errno: Int32
    }

    let pid: pid_t
    /// The read ends of its standard output and standard error.
    private let output: Int32
    private let error: Int32

    /// Starts it for the daemon at a socket, with a text on standard input. `output`: where standard output goes
    /// instead of to us.
    init(_ arguments: [String], host: String, input: String = "", output target: Int32? = nil) throws {
        let (outputRead, outputWrite) = try RunningProgram.makePipe()
        let (errorRead, errorWrite) = try RunningProgram.makePipe()
        let (inputRead, inputWrite) = try RunningProgram.makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, inputRead, 0)
        posix_spawn_file_actions_adddup2(&actions, target ?? outputWrite, 1)
        posix_spawn_file_actions_adddup2(&actions, errorWrite, 2)
        var words: [UnsafeMutablePointer<CChar>?] = (["gantry"] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("GANTRY_HOST=unix://" + host), nil]
        defer { variables.forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, try RunningProgram.path(), &actions, nil, &words, &variables)
        posix_spawn_file_actions_destroy(&actions)
        for end in [outputWrite, errorWrite, inputRead] { close(end) }
        if code != 0 { throw StartError(errno: code) }
        pid = child
        output = outputRead
        error = errorRead
        // All of it fits into the pipe.
        let bytes = Array(input.utf8)
        _ = write(inputWrite, bytes, bytes.count)
        close(inputWrite)
    }

    /// Reads what it writes to the end, and waits for its end.
    func finish(on reactor: Reactor) async throws -> Result {
        async let text = RunningProgram.readAll(output, reactor)
        async let errors = RunningProgram.readAll(error, reactor)
        let (outputText, errorText) = try await (text, errors)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        return Result(
            code: status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f), output: outputText, error: errorText)
    }

    /// Beside the bundle with the tests.
    private static func path() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        if count < 0 { throw StartError(errno: errno) }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex) + "gantry"
    }

    private static func makePipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { throw StartError(errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func readAll(_ descriptor: Int32, _ reactor: Reactor) async throws -> String {
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try await reactor.readable(descriptor)
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }
}
