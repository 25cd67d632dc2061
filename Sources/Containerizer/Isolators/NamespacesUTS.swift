// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// `namespaces/uts`: a host name of the container's own. Beyond the contract, which leaves host names to the networks.
/// A nested container has its parent's, unless it asks for one.
struct NamespacesUTS: Isolator {
    let name = "namespaces/uts"

    /// HOST_NAME_MAX of the kernel.
    private static let longest = 64

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        let isNamed = config.containerInfo?.hostname != nil && config.containerClass != .debug
        if id.parent != nil, !isNamed {
            return Contribution(launchInfo: .init(enterNamespaces: [Namespace.hostName]))
        }
        let hostname = try config.containerInfo?.hostname.map(Self.checked) ?? Self.name(from: id)
        return Contribution(
            launchInfo: .init(cloneNamespaces: [Namespace.hostName]),
            steps: [.hostname(.init(name: try PlanText.checked(hostname, "container_info.hostname")))])
    }

    /// Ids are ASCII as a rule; one that is not is cut between characters.
    static func name(from id: Mesos.ContainerID) -> String {
        var name = id.value
        while name.utf8.count > longest { name.removeLast() }
        return name
    }

    private static func checked(_ name: String) throws(ContainerError) -> String {
        guard (1...longest).contains(name.utf8.count) else {
            throw ContainerError(
                .invalidArgument, code: "namespaces.uts.hostname", "a host name has 1 to \(longest) bytes",
                subject: "container_info.hostname", hint: "shorten the name, or leave it out")
        }
        return name
    }
}
