// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client

/// Does something with each of several containers. A failure with one is told at once and does not keep it from the
/// others. Returns the exit code of the first failure, or 0.
func forEach(_ names: [ContainerName], _ body: (ContainerName) async throws -> Void) async throws -> Int32 {
    var code = ExitStatus.success
    for name in names {
        do {
            try await body(name)
        } catch is ReaderGone {
            throw ReaderGone()
        } catch {
            let failure = Failure(describing: error)
            Output.standardError.report(failure)
            if code == ExitStatus.success { code = failure.exitCode }
        }
    }
    return code
}

/// Ends the command with an exit code; 0 goes on.
func leave(with code: Int32) throws {
    if code != ExitStatus.success { throw ExitCode(code) }
}

extension Failure {
    static func noContainer(_ name: ContainerName) -> Failure {
        Failure("there is no container \(name)", hint: "'gantry ps' lists the containers")
    }
}
