// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client

/// Which daemon to talk to.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's socket (default: $GANTRY_HOST, or unix:///run/gantry/gantryd.sock).",
            valueName: "unix:///path"))
    var host: String?

    /// `--host`, else `GANTRY_HOST`, else the standard socket.
    func address() throws -> HostAddress {
        guard let text = host ?? HostAddress.environmentValue else { return .standard }
        guard let address = HostAddress(text) else {
            throw Failure(
                "'\(text)' is no address of a daemon", hint: "write unix:///PATH or /PATH", exitCode: ExitStatus.usage)
        }
        return address
    }

    /// Runs `body` with a client, which is closed afterwards.
    func withClient<Result>(_ body: (GantryClient) async throws -> Result) async throws -> Result {
        let client = GantryClient(host: try address())
        defer { client.close() }
        return try await body(client)
    }
}
