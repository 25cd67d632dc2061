// SPDX-License-Identifier: Apache-2.0
public import Glibc
public import Reactor

/// The built program `gantry` as a child of the tests.
public struct RunningProgram: Sendable {
    public struct Result: Equatable, Sendable {
        public var code: Int32
        public var output: String
        public var error: String

        public init(code: Int32, output: String, error: String) {
            self.code = code
            self.output = output
            self.error = error
        }
    }

    public struct StartError: Error {
        public var errno: Int32
    }

    public let pid: pid_t
    /// The read ends of its standard output and standard error.
    private let output: Int32
    private let error: Int32

    /// Starts it for the daemon at a socket, with a text on standard input. `output`: where standard output goes
    /// instead of to us.
    ///
    /// - Parameters:
    ///   - program: another copy of it than the one beside the tests.
    ///   - wrapper: a program and its arguments that run ours, such as one that drops privileges.
    public init(
        _ arguments: [String], host: String, input: String = "", output target: Int32? = nil, program: String? = nil,
        wrapper: [String] = []
    ) throws {
        let program = try program ?? RunningProgram.directory() + "gantry"
        let commandLine = wrapper + [wrapper.isEmpty ? "gantry" : program] + arguments
        let (outputRead, outputWrite) = try RunningProgram.makePipe()
        let (errorRead, errorWrite) = try RunningProgram.makePipe()
        let (inputRead, inputWrite) = try RunningProgram.makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, inputRead, 0)
        posix_spawn_file_actions_adddup2(&actions, target ?? outputWrite, 1)
        posix_spawn_file_actions_adddup2(&actions, errorWrite, 2)
        var words: [UnsafeMutablePointer<CChar>?] = commandLine.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("GANTRY_HOST=unix://" + host), nil]
        defer { variables.forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, wrapper.first ?? program, &actions, nil, &words, &variables)
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
    public func finish(on reactor: Reactor) async throws -> Result {
        async let text = RunningProgram.readAll(output, reactor)
        async let errors = RunningProgram.readAll(error, reactor)
        let (outputText, errorText) = try await (text, errors)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        return Result(
            code: status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f), output: outputText, error: errorText)
    }

    /// Where the bundle with the tests is, and the programs with it.
    public static func directory() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.bindMemory(to: CChar.self).baseAddress!, $0.count)
        }
        if count < 0 { throw StartError(errno: errno) }
        let path = String(decoding: buffer.prefix(count), as: UTF8.self)
        return String(path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex))
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
