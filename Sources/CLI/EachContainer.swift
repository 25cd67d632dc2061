// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client

/// Does something with each of several containers. A failure with one is told at once and does not keep it from the
/// others; the exit code is the first failure's.
func forEach(_ names: [ContainerName], _ body: (ContainerName) async throws -> Void) async throws {
    var code: Int32?
    for name in names {
        do {
            try await body(name)
        } catch is ReaderGone {
            throw ReaderGone()
        } catch {
            let failure = Failure(describing: error)
            Output.standardError.report(failure)
            code = code ?? failure.exitCode
        }
    }
    if let code { throw ExitCode(code) }
}

extension Failure {
    static func noContainer(_ name: ContainerName) -> Failure {
        Failure("there is no container \(name)", hint: "'gantry ps' lists the containers")
    }
}
