// SPDX-License-Identifier: Apache-2.0

import Logging
import RPC

/// One line for each call that failed, at the level of a warning only when the daemon is at fault.
enum CallLog {
    static func interceptor(_ log: Logger) -> Interceptor {
        { context, next in
            do {
                try await next()
                log.trace("\(context.method)", metadata: ["call": "\(context.id)"])
            } catch {
                let status = RPCError(describing: error)
                let level: Logger.Level = status.code == .internal || status.code == .unknown ? .warning : .debug
                log.log(
                    level: level, "\(context.method): \(status)",
                    metadata: ["call": "\(context.id)", "pid": "\(context.peer?.pid ?? 0)"])
                throw error
            }
        }
    }
}
