// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// What a user can get wrong: each gives a clear error that says what to do, and leaves nothing behind.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct BadInputTests {
    /// Runs one command and checks its code (nil: the command line or the daemon refuses it, 64 or 125) and that standard error has each of the words and a hint; `RealDaemon.run`
    /// then checks that nothing is left.
    private func expect(
        _ arguments: [String], code: Int32?, says words: [String], wrapper: [String] = []
    ) async throws {
        try await RealDaemon.run { daemon in
            let result = try await daemon.gantry(arguments, wrapper: wrapper)
            #expect(code == nil ? [64, 125].contains(result.code) : result.code == code, "\(result)")
            for word in words + ["\n  hint:  "] { #expect(result.error.contains(word), "\(result.error)") }
            #expect(daemon.leftovers().isEmpty)
        }
    }

    @Test func anUnknownImage() async throws {
        try await expect(
            ["run", "nosuch", "true"], code: 125, says: ["nosuch:latest", "step:  provision", "gantry image import"])
    }

    @Test func aCommandThatDoesNotExist() async throws {
        try await expect(["run", "busybox", "/bin/nosuch"], code: 127, says: ["/bin/nosuch", "step:  execute"])
        try await expect(["run", "busybox", "nosuch"], code: 127, says: ["nosuch", "PATH"])
    }

    @Test func aFileThatIsNotExecutable() async throws {
        try await expect(["run", "busybox", "/etc/passwd"], code: 126, says: ["/etc/passwd", "executable"])
    }

    @Test(arguments: ["../../etc", "a/b", ".", "a b"])
    func anIdThatIsAPath(id: String) async throws {
        try await expect(["run", "--name", id, "busybox", "true"], code: nil, says: [])
        try await expect(["wait", id], code: nil, says: [])
    }

    @Test func anIdInUse() async throws {
        try await RealDaemon.run { daemon in
            let first = try await daemon.gantry("run", "--detach", "--name", "web", "busybox", "sleep", "1000")
            #expect(first.code == 0)
            let second = try await daemon.gantry("run", "--name", "web", "busybox", "true")
            #expect(second.code == 125)
            #expect(second.error.contains("web") && second.error.contains("hint:"), "\(second.error)")
            let listed = try await daemon.gantry("ps")
            #expect(listed.output.contains("running"), "the first one is unharmed")
            #expect(try await daemon.gantry("destroy", "web").code == 0)
        }
    }

    @Test(arguments: ["0", "1b"])
    func aLimitThatNothingCouldRunWith(limit: String) async throws {
        try await expect(
            ["run", "--memory", limit, "busybox", "true"], code: 125, says: ["memory", "32 MiB"])
    }

    @Test func aDaemonThatIsNotThere() async throws {
        try await RealDaemon.run { daemon in
            try await daemon.stop()
            let result = try await daemon.gantry("ps")
            #expect(result.code == 69)
            #expect(result.error.contains(daemon.socket) && result.error.contains("gantryd"), "\(result.error)")
        }
    }

    @Test func aSocketWithoutPermission() async throws {
        try await RealDaemon.run { daemon in
            // A copy, because the build directory may be closed to others.
            let program = daemon.directory + "/gantry"
            let build = try RunningProgram.directory() + "gantry"
            try RootFileSystem.copy(build, to: program)
            let result = try await RunningProgram(
                ["ps"], host: daemon.socket, program: program,
                wrapper: ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
            ).finish(on: daemon.reactor)
            #expect(result.code == 77, "\(result)")
            #expect(result.error.contains("EACCES") && result.error.contains("hint:"), "\(result.error)")
        }
    }

    @Test func aFullDiskUnderTheStore() async throws {
        try await RealDaemon.run { daemon in
            try RootFileSystem.makeLarge(at: daemon.directory + "/large", megabytes: 48)
            let result = try await daemon.gantry("image", "import", daemon.directory + "/large", "large")
            #expect(result.code == 125 || result.code == 75, "\(result)")
            #expect(result.error.contains("space") && result.error.contains("hint:"), "\(result.error)")
            #expect(daemon.leftovers().isEmpty)
            #expect(!(try await daemon.gantry("image", "ls").output.contains("large")))
        } prepare: { daemon in
            try daemon.mountRoot(megabytes: 290)
        }
    }

    @Test func aTarThatClimbsOut() async throws {
        try await RealDaemon.run { daemon in
            let archive = daemon.directory + "/evil.tar"
            try RootFileSystem.write(RootFileSystem.archive(of: "../escaped", "caught"), to: archive)
            let result = try await daemon.gantry("image", "import", archive, "evil")
            #expect(result.code == 125, "\(result)")
            #expect(result.error.contains("../escaped") && result.error.contains("hint:"), "\(result.error)")
            #expect(access(daemon.root + "/images/escaped", F_OK) != 0)
            #expect(access(daemon.root + "/images/staging/escaped", F_OK) != 0)
            #expect(daemon.leftovers().isEmpty)
            #expect(!(try await daemon.gantry("image", "ls").output.contains("evil")))
        }
    }
}
