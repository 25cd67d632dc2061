// SPDX-License-Identifier: Apache-2.0
import Glibc
import Kernel
import SystemPackage

/// Programs in Go, built with what Debian packages: golang-go and golang-github-containerd-ttrpc-dev.
public enum GoProgram {
    private static let path = "/usr/share/gocode"

    public struct Failed: Error {
        public var status: Int32
    }

    public static let isAvailable = access(path + "/src/github.com/containerd/ttrpc", F_OK) == 0 && compiler != nil

    private static let compiler: String? = {
        let directories = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin"
        return directories.split(separator: ":").map { "\($0)/go" }.first { access($0, X_OK) == 0 }
    }()

    /// Builds the files of a directory as the program `target`. Blocks.
    public static func build(_ directory: String, as target: String) throws {
        guard let compiler else { throw Failed(status: -1) }
        var variables = ["GO111MODULE=off", "GOPATH=\(path)", "CGO_ENABLED=0"]
        for name in ["PATH", "HOME", "GOCACHE", "TMPDIR"] {
            if let value = getenv(name) { variables.append("\(name)=\(String(cString: value))") }
        }
        let files = try Directory(directory).names().map(\.string).filter { $0.hasSuffix(".go") }.map {
            "\(directory)/\($0)"
        }
        let arguments: [String] = [compiler, "build", "-o", target] + files.sorted()
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for word in environment { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, compiler, nil, nil, &words, &environment)
        guard code == 0 else { throw Failed(status: code) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        guard status == 0 else { throw Failed(status: status) }
    }
}
