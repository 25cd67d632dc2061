// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Wire

/// A container's id as users write it: `web`, or `web.check` for the container `check` inside `web`. An id holds no
/// point itself.
struct ContainerName: Equatable, ExpressibleByArgument, CustomStringConvertible {
    var id: Mesos.ContainerID

    init(_ id: Mesos.ContainerID) {
        self.id = id
    }

    /// nil if a part is empty. What else an id may hold is checked by the daemon, which knows the rule.
    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        var result: Mesos.ContainerID?
        for part in parts {
            if part.isEmpty { return nil }
            result = Mesos.ContainerID(value: String(part), parent: result)
        }
        guard let result else { return nil }
        id = result
    }

    /// A new name that is most likely unused: 12 hexadecimal digits.
    static func random() -> ContainerName {
        let digits = String(UInt64.random(in: 0..<1 << 48), radix: 16)
        return ContainerName(Mesos.ContainerID(value: String(repeating: "0", count: 12 - digits.count) + digits))
    }

    /// The same name below `parent`.
    func inside(_ parent: ContainerName) -> ContainerName {
        ContainerName(Self.place(id, below: parent.id))
    }

    private static func place(_ id: Mesos.ContainerID, below parent: Mesos.ContainerID) -> Mesos.ContainerID {
        Mesos.ContainerID(value: id.value, parent: id.parent.map { place($0, below: parent) } ?? parent)
    }

    var description: String {
        var parts = [id.value]
        var parent = id.parent
        while let next = parent {
            parts.append(next.value)
            parent = next.parent
        }
        return parts.reversed().joined(separator: ".")
    }
}
