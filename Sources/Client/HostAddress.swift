// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Where the daemon listens: the path of a Unix socket.
public struct HostAddress: Hashable, Sendable, CustomStringConvertible {
    /// Where the daemon listens unless it is told otherwise.
    public static let standard = HostAddress(path: "/run/gantry/gantryd.sock")

    /// The environment variable that names another address.
    public static let environmentVariable = "GANTRY_HOST"

    public var path: String

    public init(path: String) {
        self.path = path
    }

    /// Reads `unix:///run/gantry/gantryd.sock` or a bare path. nil for an empty path and for every other scheme: the
    /// daemon can be reached on its own machine only, because the peer's credentials decide what it may do.
    public init?(_ text: String) {
        let scheme = "unix://"
        if text.hasPrefix(scheme) {
            path = String(text.dropFirst(scheme.count))
        } else if text.contains("://") {
            return nil
        } else {
            path = text
        }
        if path.isEmpty { return nil }
    }

    /// The value of `GANTRY_HOST`; nil if it is unset or empty.
    public static var environmentValue: String? {
        guard let value = getenv(environmentVariable), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    public var description: String { "unix://\(path)" }
}
