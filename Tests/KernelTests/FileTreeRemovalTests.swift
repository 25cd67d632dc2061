// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import SystemPackage
import Testing

@Suite struct FileTreeRemovalTests {
    /// A directory that each test fills and removes by the function under test.
    private static func playground() throws -> (parent: Directory, name: FilePath, directory: Directory) {
        let parent = try Directory("/tmp")
        let name = FilePath("gantry-removal-\(UInt64.random(in: .min ... .max))")
        try parent.make(name)
        return (parent, name, try parent.directory(name))
    }

    @Test func nothingThere() throws {
        #expect(try !Directory("/tmp").removeTree("gantry-there-is-no-such-name"))
    }

    @Test func removesLinksAndNotTheirTargets() throws {
        let (parent, name, directory) = try Self.playground()
        let (_, other, kept) = try Self.playground()
        try kept.replaceFile("keep", with: [1], durable: false)
        try directory.make("tree")
        try directory.make("tree/a")
        try directory.makeSymbolicLink("tree/a/out", to: Array("/tmp/\(other)".utf8))
        try directory.makePipe("tree/pipe")
        try directory.replaceFile("tree/file", with: [1], durable: false)
        #expect(try directory.removeTree("tree"))
        #expect(try directory.names() == [])
        #expect(try kept.names() == ["keep"])
        try directory.makeSymbolicLink("link", to: Array("/tmp/\(other)".utf8))
        #expect(try directory.removeTree("link"))
        #expect(try kept.names() == ["keep"])
        #expect(try parent.removeTree(name))
        #expect(try parent.removeTree(other))
        #expect(try parent.informationIfPresent(name) == nil)
    }

    @Test func depthAndWidthDoNotMatter() throws {
        let (parent, name, directory) = try Self.playground()
        var deepest = directory
        for level in 0..<3000 {
            try deepest.make("d")
            if level % 500 == 0 {
                for number in 0..<600 { try deepest.replaceFile(FilePath("f\(number)"), with: [], durable: false) }
            }
            deepest = try deepest.directory("d")
        }
        #expect(try parent.removeTree(name))
        #expect(try parent.informationIfPresent(name) == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func immutableAndAppendOnlyNames() throws {
        let (parent, name, directory) = try Self.playground()
        try directory.make("d")
        try directory.replaceFile("d/immutable", with: [1], durable: false)
        try directory.replaceFile("d/append", with: [1], durable: false)
        try directory.make("d/locked")
        try directory.replaceFile("d/locked/file", with: [1], durable: false)
        let path = "/tmp/\(name)/d"
        try change("+a", "\(path)/append")
        try change("+i", "\(path)/immutable")
        try change("+i", "\(path)/locked")
        try change("+i", path)
        #expect(throws: SystemError.self) { try directory.unlink("d/immutable") }
        #expect(try parent.removeTree(name))
        #expect(try parent.informationIfPresent(name) == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func aMountPointEndsIt() throws {
        let (parent, name, directory) = try Self.playground()
        try directory.make("tree")
        try directory.make("tree/mount")
        let mount = "/tmp/\(name)/tree/mount"
        try run("mount", "-t", "tmpfs", "-o", "size=1m", "gantry-test", mount)
        do {
            defer { try? run("umount", mount) }
            try Directory(mount).replaceFile("keep", with: [1], durable: false)
            let error = #expect(throws: SystemError.self) { try parent.removeTree(name) }
            #expect(error?.errno == .improperLink && error?.subject == mount)
            #expect(try Directory(mount).names() == ["keep"])
        }
        #expect(try parent.removeTree(name))
    }

    private func change(_ flag: String, _ path: String) throws {
        try run("chattr", flag, path)
    }

    /// Runs a program, which must succeed.
    private func run(_ arguments: String...) throws {
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        #expect(posix_spawnp(&process, arguments[0], nil, nil, &words, environ) == 0)
        var status: Int32 = 0
        try systemCall("waitpid") { waitpid(process, &status, 0) }
        #expect(status == 0)
    }
}
