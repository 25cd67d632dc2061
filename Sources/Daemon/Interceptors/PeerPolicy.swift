// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import RPC

/// Who may call: root and the user that the daemon runs as, by the credentials of the socket's other end
/// (SO_PEERCRED). Whoever can launch a container can become root, so there is nobody else to admit.
struct PeerPolicy {
    let users: Set<UInt32> = [0, geteuid()]

    var interceptor: Interceptor {
        Interceptor(before: { context in
            guard let peer = context.peer, users.contains(peer.uid) else {
                let uid = context.peer.map { "uid \($0.uid)" } ?? "an unknown peer"
                throw ContainerError(
                    .permissionDenied, code: "peer.not-permitted",
                    "\(uid) may not call \(context.method)", step: "checking the caller",
                    subject: "\(context.service)/\(context.method)", hint: "call as root")
            }
        })
    }
}
