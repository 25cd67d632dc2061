// SPDX-License-Identifier: Apache-2.0

public import Kernel
public import SystemPackage

/// A directory for one test, which goes with this value.
public final class TemporaryDirectory: Sendable {
    public let path: String
    public let directory: Directory

    public init() throws {
        let name = FilePath("gantry-test-\(UInt64.random(in: .min ... .max))")
        let parent = try Directory("/tmp")
        try parent.make(name)
        path = "/tmp/\(name)"
        directory = try parent.directory(name)
    }

    deinit {
        _ = try? Directory("/tmp").removeTree(FilePath(String(path.dropFirst("/tmp/".count))))
    }

    public func write(_ name: FilePath, _ content: [UInt8]) throws -> String {
        try directory.replaceFile(name, with: content, durable: false)
        return "\(path)/\(name)"
    }
}
