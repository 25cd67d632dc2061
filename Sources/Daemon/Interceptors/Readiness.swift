// SPDX-License-Identifier: Apache-2.0

import RPC
import Synchronization

/// Whether the daemon has finished its recovery. Until then only gantry.v1.System answers (api.md).
final class Readiness: Sendable {
    private let ready = Mutex(false)

    var isReady: Bool { ready.withLock { $0 } }

    func becomeReady() {
        ready.withLock { $0 = true }
    }

    var interceptor: Interceptor {
        { context, next in
            guard self.isReady || context.service == "gantry.v1.System" else {
                throw RPCError(.unavailable, "gantryd is still recovering; try again")
            }
            try await next()
        }
    }
}
