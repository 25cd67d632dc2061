// SPDX-License-Identifier: Apache-2.0

import Core
import Wire

/// `linux/nnp`: no program in a container gains privileges by executing another (isolators.md 8.3).
struct LinuxNNP: Isolator {
    let name = "linux/nnp"

    func prepare(
        _ id: Mesos.ContainerID, _ config: Mesos.Slave.ContainerConfig
    ) async throws -> Contribution? {
        Contribution(launchInfo: .init(noNewPrivileges: true))
    }
}
