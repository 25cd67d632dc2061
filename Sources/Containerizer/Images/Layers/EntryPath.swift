// SPDX-License-Identifier: Apache-2.0

internal import SystemPackage

/// A checked name below the root of an image. Works on bytes and in linear time: names come from outside, may be of any
/// length and need not be text.
struct EntryPath: Hashable {
    /// Why a name is none.
    struct Rejection: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    /// PATH_MAX and NAME_MAX of Linux, the first without its NUL.
    private static let pathLimit = 4095
    private static let nameLimit = 255

    /// Without `.` and doubled slashes; empty for the root itself.
    let components: [[UInt8]]

    init(_ bytes: [UInt8]) throws(Rejection) {
        guard let first = bytes.first else { throw Rejection("has no name") }
        guard first != UInt8(ascii: "/") else { throw Rejection("has an absolute name") }
        guard bytes.count <= Self.pathLimit else { throw Rejection("has a name that is too long") }
        var components: [[UInt8]] = []
        for component in bytes.split(separator: UInt8(ascii: "/")) where component != [UInt8(ascii: ".")] {
            guard component != [UInt8(ascii: "."), UInt8(ascii: ".")] else { throw Rejection("has '..' in its name") }
            guard component.count <= Self.nameLimit else { throw Rejection("has a name that is too long") }
            guard !component.contains(0) else { throw Rejection("has a NUL in its name") }
            components.append(Array(component))
        }
        self.components = components
    }

    var isRoot: Bool { components.isEmpty }

    var path: FilePath { Self.path(components[...]) }

    /// `.` for the root and what is in it.
    var parent: FilePath { Self.path(components.dropLast()) }

    var name: FilePath { Self.path(components.suffix(1)) }

    private static func path(_ components: ArraySlice<[UInt8]>) -> FilePath {
        if components.isEmpty { return "." }
        let bytes = Array(components.joined(separator: [UInt8(ascii: "/")])).map { CChar(bitPattern: $0) }
        return FilePath(platformString: bytes + [0])
    }

    /// A single component as the kernel's calls want it.
    static func name(_ component: [UInt8]) -> FilePath {
        path([component])
    }
}
