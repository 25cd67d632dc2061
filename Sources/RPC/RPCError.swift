// SPDX-License-Identifier: Apache-2.0

/// One entry of a status's `details`: a `google.protobuf.Any`, still encoded.
public struct StatusDetail: Hashable, Sendable {
    /// `type.googleapis.com/gantry.v1.ErrorInfo`
    public var typeURL: String
    public var value: [UInt8]

    public init(typeURL: String, value: [UInt8]) {
        self.typeURL = typeURL
        self.value = value
    }
}

/// A call that failed, as the peer is or was told: a `google.rpc.Status` whose code is not OK.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: StatusCode
    public var message: String
    public var details: [StatusDetail]

    public init(_ code: StatusCode, _ message: String, details: [StatusDetail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    public init(code: StatusCode, message: String, details: [StatusDetail] = []) {
        self.init(code, message, details: details)
    }

    public var description: String { "\(code): \(message)" }
}

/// An error that knows which status it is. A handler may throw it as it is.
public protocol RPCErrorConvertible: Error {
    var rpcError: RPCError { get }
}

extension RPCError {
    /// The status that a handler's error becomes. Errors of no known kind are UNKNOWN, and keep their text.
    public init(describing error: any Error) {
        switch error {
        case let error as RPCError: self = error
        case let error as any RPCErrorConvertible: self = error.rpcError
        case is CancellationError: self.init(.cancelled, "the call was cancelled")
        default: self.init(.unknown, String(describing: error))
        }
        // A status of code OK would read as success on the other side, with the result missing.
        if code == .ok { code = .unknown }
    }
}
