// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `namespaces/net`: a network namespace with nothing but the loopback interface. Beyond the contract; for containers
/// that need no network. A nested container is in its parent's.
struct NamespacesNet: Isolator {
    let name = "namespaces/net"

    var stage: Stage {
        Stage(namespaces: UInt64(Namespace.network), steps: [.loopback(.init())])
    }

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        if id.parent != nil { return Contribution(launchInfo: .init(enterNamespaces: [Namespace.network])) }
        return Contribution(
            launchInfo: .init(cloneNamespaces: [Namespace.network]), steps: [.loopback(.init())])
    }
}
