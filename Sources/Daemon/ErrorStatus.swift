// SPDX-License-Identifier: Apache-2.0

public import Core
public import RPC
import Wire

/// The core's errors as statuses: the kind becomes the code, everything else goes into one `ErrorInfo` in the details
/// (api.md, Errors).
extension ContainerError: RPCErrorConvertible {
    public var rpcError: RPCError {
        let details = (try? info.encoded()).map { [StatusDetail(typeURL: Self.typeURL, value: $0)] } ?? []
        return RPCError(kind.status, message, details: details)
    }

    private static let typeURL = "type.googleapis.com/" + Gantry.V1.ErrorInfo.fullName
}

extension ContainerError.Kind {
    fileprivate var status: StatusCode {
        switch self {
        case .invalidArgument: .invalidArgument
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .failedPrecondition: .failedPrecondition
        case .aborted: .aborted
        case .resourceExhausted: .resourceExhausted
        case .permissionDenied: .permissionDenied
        case .unavailable: .unavailable
        case .cancelled: .cancelled
        case .internal: .internal
        }
    }
}
