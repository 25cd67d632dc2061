// SPDX-License-Identifier: Apache-2.0

import Wire

extension Mesos.Slave.ContainerConfig {
    /// A container on the host's file system, or with a root of its own.
    static func plain(
        rootfs: String? = nil, linux: Mesos.LinuxInfo? = nil, hostname: String? = nil, volumes: [Mesos.Volume] = [],
        resources: [Mesos.Resource] = [], limits: [String: Double] = [:]
    ) -> Mesos.Slave.ContainerConfig {
        Mesos.Slave.ContainerConfig(
            directory: "/var/sandbox", rootfs: rootfs, commandInfo: .init(value: "true"),
            containerInfo: .init(type: .mesos, volumes: volumes, hostname: hostname, linuxInfo: linux),
            resources: resources, limits: .limits(limits))
    }
}

extension Gantry.Init.V1.Step.Kind {
    /// The step in one line, for comparing whole plans: "mount proc /proc 0xe".
    var line: String {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.dropLast(), as: UTF8.self) }
        switch self {
        case .mount(let mount):
            let options = mount.options.map(text).joined(separator: ",")
            return "mount \(text(mount.type)) \(text(mount.target)) \(mount.attributes) \(options)"
        case .bind(let bind):
            let flags =
                (bind.recursive ? " rec" : "") + (bind.sourceInRoot ? " in-root" : "") + (bind.optional ? " opt" : "")
                + (bind.strictSource ? " strict" : "")
            return "bind \(text(bind.source)) \(text(bind.target)) \(bind.attributes)\(flags)"
        case .device(let device):
            return "device \(text(device.path)) \(device.major):\(device.minor) \(String(device.mode, radix: 8))"
        case .directory(let directory): return "directory \(text(directory.path))"
        case .symbolicLink(let link): return "link \(text(link.path)) -> \(text(link.to))"
        case .hostname(let hostname): return "hostname \(text(hostname.name))"
        case .loopback: return "loopback"
        case .cgroupNamespace: return "cgroup namespace"
        default: return "\(self)"
        }
    }
}
