// SPDX-License-Identifier: Apache-2.0

/// MOUNT_ATTR_* of fsmount(2) and mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable, Hashable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static let readOnly = MountAttributes(rawValue: 0x01)
    public static let noSetuid = MountAttributes(rawValue: 0x02)
    public static let noDevices = MountAttributes(rawValue: 0x04)
    public static let noExecute = MountAttributes(rawValue: 0x08)
    public static let strictAccessTime = MountAttributes(rawValue: 0x20)

    /// As mount(8) names them.
    public var names: [String] {
        let all: [(MountAttributes, String)] = [
            (.readOnly, "ro"), (.noSetuid, "nosuid"), (.noDevices, "nodev"), (.noExecute, "noexec"),
            (.strictAccessTime, "strictatime"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}
