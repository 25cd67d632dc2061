// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import SystemPackage
internal import Wire

/// Where a container's files are below `containers/`: `ID`, or `PARENT/containers/ID` for a nested one.
struct ContainerPath: Hashable {
    /// Outermost first; each a name that is safe as one path component.
    let names: [String]

    /// Throws `container.bad-id`: ids come from outside.
    init(_ id: Mesos.ContainerID) throws {
        var names: [String] = []
        var current: Mesos.ContainerID? = id
        while let part = current {
            let bytes = part.value.utf8
            guard (1...255).contains(bytes.count), part.value != ".", part.value != "..",
                bytes.allSatisfy({ $0 != UInt8(ascii: "/") && $0 > 32 && $0 != 127 })
            else {
                throw ContainerError(
                    .invalidArgument, code: "container.bad-id",
                    "container id \"\(ContainerError.shortened(part.value))\" cannot be a file name",
                    hint: "use 1 to 255 bytes without '/', spaces and control characters, and neither '.' nor '..'")
            }
            names.append(part.value)
            current = part.parent
        }
        self.names = names.reversed()
    }

    init(names: [String]) {
        self.names = names
    }

    /// Relative to the `containers` directory.
    var path: FilePath { FilePath(names.joined(separator: "/containers/")) }

    /// As users write it.
    var description: String { names.joined(separator: ".") }

    /// Unlike `description` unambiguous: names may hold dots, but no slashes.
    var key: String { names.joined(separator: "/") }

    func child(_ name: String) -> ContainerPath { ContainerPath(names: names + [name]) }
}
