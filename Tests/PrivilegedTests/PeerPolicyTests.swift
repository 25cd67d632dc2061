// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// Who may call, when the socket's file does not say: CVE-2020-15257 asks for more than a mode.
@Suite(.enabled(if: geteuid() == 0, "needs root"), .serialized)
struct PeerPolicyTests {
    private static let stranger = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]

    /// A child of another test may hold the copy open for writing until it execs: ETXTBSY.
    private func asStranger(
        _ arguments: [String], _ program: String, _ daemon: RealDaemon
    ) async throws -> RunningProgram.Result {
        while true {
            let result = try await RunningProgram(
                arguments, host: daemon.socket, program: program, wrapper: Self.stranger
            ).finish(on: daemon.reactor)
            if !result.error.contains("Text file busy") { return result }
        }
    }

    @Test func aUserWhoCanOpenTheSocketIsStillRefused() async throws {
        try await RealDaemon.run { daemon in
            #expect(chmod(daemon.socket, 0o666) == 0)
            let program = daemon.directory + "/gantry"
            try RootFileSystem.copy(try RunningProgram.directory() + "gantry", to: program)
            for arguments in [
                ["ps"], ["run", "busybox", "true"], ["call", "System/Health"], ["services"], ["image", "ls"],
                ["destroy", "any"],
            ] {
                let result = try await asStranger(arguments, program, daemon)
                #expect(result.code == 77, "\(arguments): \(result)")
                #expect(result.error.contains("uid 65534 may not call"), "\(result)")
                #expect(result.error.contains("hint:"), "\(result)")
            }
            // Refused before anything was done for it.
            #expect(daemon.leftovers().isEmpty)
            #expect(try await daemon.gantry("ps").code == 0)
        }
    }

    /// A set-user-id program, or root itself, that has connected and then become somebody else, is who it was when it
    /// connected; and the other way round.
    @Test func theIdsAreThoseOfTheMomentOfConnecting() async throws {
        try await RealDaemon.run { daemon in
            #expect(chmod(daemon.socket, 0o666) == 0)
            let script = """
                import os, socket, struct, sys
                if sys.argv[2] == "before": os.setuid(65534)
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
                if sys.argv[2] == "after": os.setuid(65534)
                call = b"\\x0a\\x10gantry.v1.System\\x12\\x06Health"
                s.sendall(struct.pack(">IIBB", len(call), 1, 1, 0) + call)
                header = s.recv(10, socket.MSG_WAITALL)
                data = s.recv(struct.unpack(">I", header[:4])[0], socket.MSG_WAITALL)
                print("refused" if data[:1] == b"\\x0a" and b"may not call" in data else "served")
                """
            for (moment, expected) in [("before", "refused\n"), ("after", "served\n")] {
                let result = try await RunningProgram(
                    [moment], host: daemon.socket, program: daemon.socket,
                    wrapper: ["/usr/bin/python3", "-c", script]
                ).finish(on: daemon.reactor)
                #expect(result.output == expected, "\(moment): \(result)")
            }
        }
    }

    @Test func aSocketThatIsHandedOverIsServed() async throws {
        let script = """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o600); s.listen(64)
            if s.fileno() != 3: os.dup2(s.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
            os.execv(sys.argv[2], sys.argv[2:])
            """
        try await RealDaemon.run { daemon in
            let result = try await daemon.gantry("run", "busybox", "echo", "hello")
            #expect(result.output == "hello\n", "\(result)")
            var info = stat()
            #expect(stat(daemon.socket, &info) == 0 && info.st_mode & 0o777 == 0o600)
            try await daemon.stop()
            // Whoever bound it keeps it.
            #expect(access(daemon.socket, F_OK) == 0)
        } prepare: { daemon in
            daemon.wrapper = ["/usr/bin/python3", "-c", script, daemon.socket]
        }
    }
}
