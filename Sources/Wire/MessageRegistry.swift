// SPDX-License-Identifier: Apache-2.0

/// All messages by name, for tools that are told a type in words.
public enum MessageRegistry {
    private static let byName: [String: any Message.Type] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.fullName, $0) })

    /// `mesos.slave.ContainerConfig`; nil if there is no such message.
    public static func type(named fullName: String) -> (any Message.Type)? {
        byName[fullName]
    }

    /// Every message's full name, sorted.
    public static var names: [String] { all.map { $0.fullName } }
}
