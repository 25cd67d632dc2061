// SPDX-License-Identifier: Apache-2.0
internal import Kernel
public import RPC
internal import SystemPackage
public import Wire

/// Why a call to the daemon did not succeed.
public struct ClientError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Cause: Sendable, Hashable {
        /// No connection to the socket at this path; the number is an `errno`.
        case connect(path: String, errno: Int32)
        /// The daemon answered with this status, or the connection ended first (UNAVAILABLE).
        case call(StatusCode)
        /// Something on this side: an answer that does not decode, a reactor that does not start.
        case local
    }

    /// What a caller can do about it.
    public enum Kind: Sendable, Hashable {
        /// Nobody listens on the socket.
        case notReachable
        /// The socket or the daemon does not let this user in.
        case notPermitted
        /// The daemon is not ready yet, or went away during the call.
        case tryAgain
        /// There is no such container or image.
        case notFound
        /// Everything else.
        case failed
    }

    public var cause: Cause
    /// One sentence: what failed and why.
    public var message: String
    /// What the daemon says about its error. nil for errors that arose here.
    public var info: Gantry.V1.ErrorInfo?

    public init(cause: Cause, message: String, info: Gantry.V1.ErrorInfo? = nil) {
        self.cause = cause
        self.message = message
        self.info = info
    }

    /// Whatever the calls of this room throw, as a ClientError. CancellationError has the status CANCELLED.
    public init(_ error: any Error) {
        switch error {
        case let error as ClientError:
            self = error
        case let error as ConnectError:
            let code = error.errno.rawValue
            let message = "cannot connect to unix://\(error.path): \(errnoText(code))"
            self.init(cause: .connect(path: error.path, errno: code), message: message)
        case let error as RPCError:
            self.init(cause: .call(error.code), message: error.message, info: errorInfo(in: error.details))
        case is CancellationError:
            self.init(cause: .call(.cancelled), message: "the call was cancelled")
        default:
            self.init(cause: .local, message: String(describing: error))
        }
    }

    public var kind: Kind {
        switch cause {
        case .connect(_, let code):
            code == Errno.permissionDenied.rawValue || code == Errno.notPermitted.rawValue
                ? .notPermitted : .notReachable
        case .call(.permissionDenied), .call(.unauthenticated): .notPermitted
        case .call(.unavailable): .tryAgain
        case .call(.notFound): .notFound
        case .call, .local: .failed
        }
    }

    public var description: String {
        guard let info, !info.code.isEmpty else { return message }
        return "\(message) [\(info.code)]"
    }
}

/// The first ErrorInfo among a status's details. A detail that does not decode counts as absent: the message is there.
private func errorInfo(in details: [StatusDetail]) -> Gantry.V1.ErrorInfo? {
    for detail in details where detail.typeURL.split(separator: "/").last == "gantry.v1.ErrorInfo" {
        if let info = try? Gantry.V1.ErrorInfo(decoding: detail.value) { return info }
    }
    return nil
}

/// `ENOENT (No such file or directory)`
public func errnoText(_ code: Int32) -> String {
    let error = Errno(rawValue: code)
    return "\(error.name) (\(error.description))"
}
