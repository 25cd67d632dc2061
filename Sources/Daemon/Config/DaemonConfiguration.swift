// SPDX-License-Identifier: Apache-2.0

public import Core

/// What an instance of the daemon is told. Everything that it keeps lies below `root` and below one cgroup, so that
/// several instances can run side by side.
public struct DaemonConfiguration: Sendable {
    /// Absolute; made if it is missing.
    public var root: String
    /// The path of the socket.
    public var socket: String
    /// The daemon's own cgroup, relative to each hierarchy's mount point.
    public var cgroupRoot: String
    /// Names of isolators, comma-separated, as in Mesos's `--isolation`.
    public var isolation: String
    /// The gantry-init binary.
    public var initPath: String
    public var core: Containerizer.Configuration

    public init(
        root: String, socket: String, cgroupRoot: String?, isolation: String, initPath: String,
        core: Containerizer.Configuration = .init()
    ) {
        self.root = root
        self.socket = socket
        self.cgroupRoot = cgroupRoot ?? Self.defaultCgroupRoot(for: root)
        self.isolation = isolation
        self.initPath = initPath
        self.core = core
    }

    public static let defaultRoot = "/var/lib/gantry"
    public static let defaultSocket = "/run/gantry/gantryd.sock"
    public static let defaultIsolation =
        "filesystem/linux,cgroups/cpu,cgroups/mem,cgroups/pids,linux/capabilities,linux/nnp,"
        + "namespaces/ipc,namespaces/pid,namespaces/uts,namespaces/net"

    /// `gantry` for the default root, and for any other one a name that depends on the path alone: a second instance
    /// gets a cgroup of its own, and finds it again after a restart.
    static func defaultCgroupRoot(for root: String) -> String {
        guard root != defaultRoot else { return "gantry" }
        // FNV-1a, 64 bits.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in root.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return "gantry-" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
