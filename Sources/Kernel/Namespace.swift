// SPDX-License-Identifier: Apache-2.0

/// CLONE_NEW* of clone(2), as messages carry them.
public enum Namespace {
    public static let mount: Int32 = 0x0002_0000
    public static let cgroup: Int32 = 0x0200_0000
    public static let hostName: Int32 = 0x0400_0000
    public static let ipc: Int32 = 0x0800_0000
    public static let user: Int32 = 0x1000_0000
    public static let pid: Int32 = 0x2000_0000
    public static let network: Int32 = 0x4000_0000

    /// The names of the namespaces in a set of bits, in the order of the bits.
    public static func names(of bits: UInt64) -> [String] {
        let all: [(Int32, String)] = [
            (mount, "mount"), (cgroup, "cgroup"), (hostName, "uts"), (ipc, "ipc"), (user, "user"), (pid, "pid"),
            (network, "net"),
        ]
        return all.filter { bits & UInt64(UInt32(bitPattern: $0.0)) != 0 }.map(\.1)
    }
}
