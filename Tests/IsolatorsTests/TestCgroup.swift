// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Testing
import Wire

/// A temporary directory that stands for a cgroup. Control files begin with the given contents; give those that are
/// written only as empty, because a plain file keeps what a shorter write does not cover.
final class TestCgroup: Sendable {
    let directory: CgroupDirectory
    private let names: [String]

    init(_ files: [String: String]) throws {
        var template = Array("/tmp/gantry-controller-XXXXXX".utf8CString)
        directory = CgroupDirectory(try #require(mkdtemp(&template).map { String(cString: $0) }))
        names = Array(files.keys)
        for (name, text) in files { try put(name, text) }
    }

    deinit {
        for name in names { unlink(directory.file(name)) }
        rmdir(directory.path)
    }

    func put(_ name: String, _ text: String) throws {
        close(open(directory.file(name), O_CREAT | O_TRUNC | O_WRONLY, 0o600))
        try directory.write(name, text)
    }

    /// The contents of the files that hold something.
    func contents() throws -> [String: String] {
        var contents: [String: String] = [:]
        for name in names { contents[name] = try directory.read(name) }
        return contents.filter { !$0.value.isEmpty }
    }
}

extension Mesos.Resource {
    static func scalar(_ name: String, _ value: Double, revocable: Bool = false) -> Mesos.Resource {
        Mesos.Resource(
            name: name, type: .scalar, scalar: .init(value: value), revocable: revocable ? .init() : nil)
    }
}

extension [String: Mesos.Value.Scalar] {
    static func limits(_ values: [String: Double]) -> Self {
        values.mapValues { Mesos.Value.Scalar(value: $0) }
    }
}
