// SPDX-License-Identifier: Apache-2.0
internal import Client
internal import Glibc
internal import Wire

extension Failure {
    /// What any error of a command becomes.
    init(describing error: any Error) {
        self = error as? Failure ?? Failure(ClientError(error))
    }

    init(_ error: ClientError) {
        self.init(
            Failure.message(for: error), step: error.info?.step ?? "", hint: Failure.hint(for: error),
            exitCode: Failure.exitCode(for: error))
    }

    /// With the cause that the system gave, unless the daemon's own sentence names it.
    private static func message(for error: ClientError) -> String {
        guard let code = error.info?.errno, code > 0 else { return error.message }
        let text = errnoText(code)
        let name = text.prefix { $0 != " " }
        return error.message.contains(name) ? error.message : "\(error.message): \(text)"
    }

    private static func hint(for error: ClientError) -> String {
        if let hint = error.info?.hint, !hint.isEmpty { return hint }
        guard case .connect(_, let code) = error.cause else {
            return error.kind == .tryAgain ? "wait for the daemon with 'gantry health --wait 10', then try again" : ""
        }
        switch code {
        case ENOENT, ECONNREFUSED, ENOTDIR:
            return "start the daemon with 'gantryd', or name its socket: --host unix:///PATH or GANTRY_HOST"
        case EACCES, EPERM:
            return "only root and the socket's group may connect: use sudo, or join that group"
        case ENAMETOOLONG:
            return "the path of a Unix socket has at most 107 bytes (unix(7))"
        case ETIMEDOUT, EAGAIN:
            return "the daemon is there but does not accept connections; look at its log"
        default:
            return ""
        }
    }

    private static func exitCode(for error: ClientError) -> Int32 {
        if let code = error.info?.code, let status = exitCode(forErrorCode: code) { return status }
        return switch error.kind {
        case .notReachable: ExitStatus.notReachable
        case .notPermitted: ExitStatus.notPermitted
        case .tryAgain: ExitStatus.tryAgain
        case .notFound, .failed: ExitStatus.failed
        }
    }

    /// The codes that a shell gives a command that cannot be run. nil for all other errors.
    private static func exitCode(forErrorCode code: String) -> Int32? {
        switch code {
        case "init.execute.not-found": ExitStatus.notFound
        case "init.execute.denied", "init.execute.failed": ExitStatus.notExecutable
        default: nil
        }
    }
}
