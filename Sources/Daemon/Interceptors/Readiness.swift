// SPDX-License-Identifier: Apache-2.0

import RPC
import Synchronization

/// Whether the daemon has finished its recovery. Until then only the services about the daemon itself
/// answer.
final class Readiness: Sendable {
    private static let always: Set<String> = ["gantry.v1.System", "gantry.v1.Reflection"]

    private let ready = Mutex(false)

    var isReady: Bool { ready.withLock { $0 } }

    func becomeReady() {
        ready.withLock { $0 = true }
    }

    var interceptor: Interceptor {
        Interceptor(before: { context in
            guard self.isReady || Self.always.contains(context.service) else {
                throw RPCError(.unavailable, "gantryd is still recovering; try again")
            }
        })
    }
}
