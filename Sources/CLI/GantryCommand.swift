// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client

/// The root of all commands.
struct GantryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry",
        abstract: "Run and watch containers on this machine.",
        discussion: """
            Examples:
              gantry image import ./rootfs.tar debian:12
              gantry run debian:12 /bin/echo hello
              gantry ps

            Exit codes: 0; the container's own code; 128+n for a signal; 64 wrong usage; 69 the daemon cannot be \
            reached; 75 try again; 77 not permitted; 125 gantry failed; 126 cannot execute; 127 no such command.
            """,
        version: clientVersion,
        groupedSubcommands: [
            CommandGroup(
                name: "Containers",
                subcommands: [
                    RunCommand.self, ExecCommand.self, PsCommand.self, LogsCommand.self, WaitCommand.self,
                    KillCommand.self, DestroyCommand.self, RemoveCommand.self, InspectCommand.self, UsageCommand.self,
                    PlanCommand.self,
                ]),
            CommandGroup(name: "Images", subcommands: [ImageCommand.self]),
            CommandGroup(name: "Daemon", subcommands: [HealthCommand.self, PingCommand.self, VersionCommand.self]),
            CommandGroup(
                name: "Calls and messages", subcommands: [CallCommand.self, ServicesCommand.self, WireCommand.self]),
        ])
}
