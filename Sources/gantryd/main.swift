// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Daemon
import Glibc
public import Logging

struct Gantryd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantryd",
        abstract: "Runs containers on this machine for whoever asks on its socket.",
        discussion: """
            Everything an instance keeps lies below --root and below one cgroup, so several can run side by side:

              gantryd --root /tmp/a --host unix:///tmp/a/gantryd.sock

            SIGTERM and SIGINT stop it cleanly: its containers are destroyed and nothing is left.
            """,
        version: GantryVersion.current)

    @Option(help: ArgumentHelp("Where images, sandboxes and control files are kept.", valueName: "dir"))
    var root = DaemonConfiguration.defaultRoot

    @Option(help: ArgumentHelp("The socket to serve on.", valueName: "unix://path"))
    var host = "unix://" + DaemonConfiguration.defaultSocket

    @Option(help: ArgumentHelp("The instance's own cgroup (default: by the root directory).", valueName: "name"))
    var cgroupRoot: String?

    @Option(help: ArgumentHelp("What keeps containers apart, comma-separated.", valueName: "names"))
    var isolation = DaemonConfiguration.defaultIsolation

    @Option(help: ArgumentHelp("The gantry-init program (default: beside gantryd).", valueName: "path"))
    var `init`: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    func validate() throws {
        guard host.hasPrefix("unix:///") else {
            throw ValidationError("--host must be unix:// and an absolute path, e.g. unix:///run/gantry/gantryd.sock")
        }
    }

    func run() throws {
        // Blocked before any thread exists, so that no thread but this one gets them.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        umask(0o022)

        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var log = Logger(label: "gantryd")
        log.logLevel = logLevel
        let daemon: GantryDaemon
        do {
            daemon = try GantryDaemon(
                DaemonConfiguration(
                    root: root, socket: String(host.dropFirst("unix://".count)), cgroupRoot: cgroupRoot,
                    isolation: isolation, initPath: `init` ?? Self.initBesideProgram()), log: log)
            try daemon.startAndWait()
        } catch {
            FailureReport.print(error)
            throw ExitCode(1)
        }
        let ready = Array("gantryd is ready: \(host), \(daemon.summary)\n".utf8)
        _ = write(STDOUT_FILENO, ready, ready.count)

        var number: Int32 = 0
        repeat { sigwait(&signals, &number) } while number == SIGHUP
        log.notice("stopping")
        try daemon.stopAndWait()
    }

    private static func initBesideProgram() -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.assumingMemoryBound(to: CChar.self).baseAddress!, $0.count)
        }
        let path = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) + "gantry-init"
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

Gantryd.main()
