// SPDX-License-Identifier: Apache-2.0

/// What a client's call asks for.
public struct CallOptions: Sendable {
    /// The time that the call may take, here and on the server. nil: for ever.
    public var timeout: Duration?
    public var metadata: Metadata

    public init(timeout: Duration? = nil, metadata: Metadata = Metadata()) {
        self.timeout = timeout
        self.metadata = metadata
    }

    /// As it travels; 0 is for ever. nil: there is no time left at all.
    var timeoutNanoseconds: Int64? {
        guard let timeout else { return 0 }
        let (seconds, attoseconds) = timeout.components
        if timeout <= .zero { return nil }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowToo) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || overflowToo ? .max : max(1, sum)
    }
}
