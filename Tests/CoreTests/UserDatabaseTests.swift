// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import SystemPackage
import TestSupport
import Testing

@testable import Core

/// Users by name, out of files that may be hostile.
@Suite struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: Array(
            """
            root:x:0:0:root:/root:/bin/sh
            # alice:x:1:1
            alice:x:1000:1001:Alice:/home/alice:/bin/sh
            alice:x:0:0:again:/:/bin/sh
            bad:x:4294967295:1:::
            worse:x:-1:0:::
            short:x:7
            bob:x:1002:1002
            carol:x: 12:1:::
            """.utf8),
        group: Array(
            """
            root:x:0:
            staff:x:50:bob,alice
            audio:x:29:alice,alice
            alice:x:1001:alice
            big:x:4294967296:alice
            broken:x
            wheel:x:10:alicea,malice
            :x:11:alice
            """.utf8))

    private func identity(_ text: String) throws -> UserIdentity {
        let name = try UserName(parsing: text)
        return try name.identity ?? database.identity(of: name)
    }

    @Test func aUserHasHisGroupsAndNoOthers() throws {
        #expect(try identity("alice") == .init(uid: 1000, gid: 1001, groups: [11, 29, 50]))
        #expect(try identity("bob") == .init(uid: 1002, gid: 1002, groups: [50]))
    }

    @Test func aGroupTakesThePlaceOfAll() throws {
        #expect(try identity("alice:staff") == .init(uid: 1000, gid: 50))
        #expect(try identity("alice:7") == .init(uid: 1000, gid: 7))
        #expect(try identity("5:staff") == .init(uid: 5, gid: 50))
    }

    @Test func numbersNeedNoDatabase() throws {
        #expect(try UserName(parsing: "root").identity == .init(uid: 0, gid: 0))
        #expect(try UserName(parsing: "5").identity == .init(uid: 5, gid: 5))
        #expect(try UserName(parsing: "5:6").identity == .init(uid: 5, gid: 6))
        #expect(try UserName(parsing: "2147483648").identity == .init(uid: 2_147_483_648, gid: 2_147_483_648))
    }

    /// CVE-2024-40635 and the like.
    @Test(arguments: [
        "", ":", "a:", ":a", "a:b:c", "4294967295", "1:4294967295", "4294967296", "99999999999999999999", "-1", " 1",
        "a b", "a\nb", "a,b", "a\u{0}", String(repeating: "a", count: 257),
    ])
    func noUsers(text: String) {
        let error = #expect(throws: ContainerError.self) { try UserName(parsing: text) }
        #expect(error?.code == "launch.invalid-user")
        #expect(error?.kind == .invalidArgument)
    }

    @Test(arguments: ["nobody", "bad", "worse", "short", "carol", "ali", "# alice", "x"])
    func whatTheDatabaseDoesNotHave(name: String) throws {
        guard let parsed = try? UserName(parsing: name) else { return }
        let error = #expect(throws: ContainerError.self) { try database.identity(of: parsed) }
        #expect(error?.code == "launch.unknown-user")
    }

    @Test(arguments: ["nogroup", "big", "broken"]) func unknownGroups(name: String) throws {
        let error = #expect(throws: ContainerError.self) { try identity("alice:\(name)") }
        #expect(error?.code == "launch.unknown-group")
    }

    // MARK: Files

    private func root(_ prepare: (Directory) throws -> Void) throws -> TemporaryDirectory {
        let temporary = try TemporaryDirectory()
        try temporary.directory.make("root")
        let root = try temporary.directory.directory("root")
        try root.make("etc")
        try prepare(root)
        return temporary
    }

    private func open(_ temporary: TemporaryDirectory) throws -> UserDatabase {
        try UserDatabase(in: temporary.directory.directory("root"))
    }

    @Test func linksStayInside() throws {
        let temporary = try root { root in
            try root.make("real")
            try root.directory("real").replaceFile("passwd", with: Array("alice:x:5:6:::".utf8), durable: false)
            try root.directory("etc").makeSymbolicLink("passwd", to: Array("/real/passwd".utf8))
        }
        _ = try temporary.write("secret", Array("alice:x:0:0:::".utf8))
        let name = try UserName(parsing: "alice")
        #expect(try open(temporary).identity(of: name) == .init(uid: 5, gid: 6))
        let etc = try temporary.directory.directory("root/etc")
        for target in ["../../../../..\(temporary.path)/secret", "\(temporary.path)/secret"] {
            try etc.unlink("passwd")
            try etc.makeSymbolicLink("passwd", to: Array(target.utf8))
            let error = #expect(throws: ContainerError.self) { try open(temporary).identity(of: name) }
            #expect(error?.code == "launch.unknown-user", "the host's file is not there")
        }
    }

    @Test func onlyPlainFilesOfSensibleSizeAreRead() throws {
        let pipe = try root { root in try root.directory("etc").makePipe("passwd") }
        #expect { try open(pipe) } throws: { ($0 as? SystemError)?.errno == .invalidArgument }
        let directory = try root { root in try root.directory("etc").make("group") }
        #expect { try open(directory) } throws: { ($0 as? SystemError)?.errno == .invalidArgument }
        let huge = try root { root in
            try root.directory("etc").replaceFile("passwd", with: [1], durable: false)
            truncate("\(root.path)/etc/passwd", 1 << 40)
        }
        #expect { try open(huge) } throws: { ($0 as? SystemError)?.errno == .fileTooLarge }
        let loop = try root { root in
            try root.directory("etc").makeSymbolicLink("passwd", to: Array("passwd".utf8))
        }
        #expect { try open(loop) } throws: { ($0 as? SystemError)?.errno == .tooManySymbolicLinkLevels }
        let none = try root { _ in }
        #expect { try open(none).identity(of: UserName(parsing: "a")) } throws: {
            ($0 as? ContainerError)?.code == "launch.unknown-user"
        }
    }

    @Test func aLongListOfGroupsIsRefusedBeforeTheKernelDoes() throws {
        let lines = (1...65537).map { "g\($0):x:\($0):a" }.joined(separator: "\n")
        let database = UserDatabase(passwd: Array("a:x:1:99999999:::".utf8), group: Array(lines.utf8))
        let error = #expect(throws: ContainerError.self) { try database.identity(of: UserName(parsing: "a")) }
        #expect(error?.code == "launch.too-many-groups")
        #expect(try database.identity(of: UserName(parsing: "a:g7")) == .init(uid: 1, gid: 7))
    }
}
