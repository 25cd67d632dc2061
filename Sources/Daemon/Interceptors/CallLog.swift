// SPDX-License-Identifier: Apache-2.0

import Logging
import RPC

/// One line for each call that failed, at the level of a warning only when the daemon is at fault.
enum CallLog {
    static func interceptor(_ log: Logger) -> Interceptor {
        Interceptor(after: { context, error in
            guard let error else {
                log.trace("\(context.method)", metadata: ["call": "\(context.id)"])
                return nil
            }
            let status = RPCError(describing: error)
            let level: Logger.Level = status.code == .internal || status.code == .unknown ? .warning : .debug
            log.log(
                level: level, "\(context.method): \(status)",
                metadata: ["call": "\(context.id)", "pid": "\(context.peer?.pid ?? 0)"])
            return nil
        })
    }
}
