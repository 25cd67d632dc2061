// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import Reactor
import SystemPackage
import Wire

/// The users and groups of a root file system: passwd(5) and group(5). The files are the image's, so anything may be in
/// them: their size is bounded, and a line that does not have the form is no entry.
struct UserDatabase {
    private let users: [UInt8]
    private let groups: [UInt8]

    init(passwd users: [UInt8], group groups: [UInt8]) {
        self.users = users
        self.groups = groups
    }

    /// Reads them inside of `root`, where links lead nowhere else. Missing files are empty ones. Blocks.
    ///
    /// - Throws: EFBIG for a file over 1 MiB, EINVAL for one that is no file.
    init(in root: Directory) throws(SystemError) {
        self.init(
            passwd: try root.readFile(inRoot: "/etc/passwd", limit: Self.limit) ?? [],
            group: try root.readFile(inRoot: "/etc/group", limit: Self.limit) ?? [])
    }

    private static let limit = 1 << 20
    /// NGROUPS_MAX of the kernel.
    private static let mostGroups = 65536

    /// A user without a group has that of his entry, and those that list him. With a group he has that one alone.
    ///
    /// - Throws: `launch.unknown-user`, `launch.unknown-group`, `launch.too-many-groups`.
    func identity(of name: UserName) throws(ContainerError) -> UserIdentity {
        var identity: UserIdentity
        switch name.user {
        case .number(let uid): identity = UserIdentity(uid: uid, gid: uid)
        case .name(let text): identity = try user(text, alone: name.group == nil)
        }
        switch name.group {
        case nil: break
        case .number(let gid)?: identity.gid = gid
        case .name(let text)?: identity.gid = try group(text)
        }
        return identity
    }

    private func user(_ name: String, alone: Bool) throws(ContainerError) -> UserIdentity {
        // name:password:uid:gid:...
        for entry in Self.entries(users, named: name, fields: 4) {
            guard let uid = Self.number(entry[2]), let gid = Self.number(entry[3]) else { continue }
            let groups = alone ? try groups(listing: name).filter { $0 != gid } : []
            return UserIdentity(uid: uid, gid: gid, groups: groups)
        }
        throw Self.unknown("user", name)
    }

    private func group(_ name: String) throws(ContainerError) -> UInt32 {
        // name:password:gid:members
        for entry in Self.entries(groups, named: name, fields: 3) {
            if let gid = Self.number(entry[2]) { return gid }
        }
        throw Self.unknown("group", name)
    }

    private func groups(listing user: String) throws(ContainerError) -> [UInt32] {
        var found: Set<UInt32> = []
        let user = Array(user.utf8)
        for line in groups.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 4, let gid = Self.number(fields[2]) else { continue }
            if fields[3].split(separator: UInt8(ascii: ",")).contains(where: { $0.elementsEqual(user) }) {
                found.insert(gid)
            }
        }
        guard found.count <= Self.mostGroups else {
            throw ContainerError(
                .invalidArgument, code: "launch.too-many-groups",
                "the user is in \(found.count) groups, and the kernel takes \(Self.mostGroups)",
                step: "looking up the user", subject: "user", hint: "give USER:GROUP")
        }
        return found.sorted()
    }

    /// The first entries of that name, which is the first field; each with at least `count` fields.
    private static func entries(
        _ file: [UInt8], named name: String, fields count: Int
    ) -> some Sequence<[ArraySlice<UInt8>]> {
        let start = Array(name.utf8) + [UInt8(ascii: ":")]
        return file.split(separator: UInt8(ascii: "\n")).lazy.filter { $0.starts(with: start) }.map {
            $0.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        }.filter { $0.count >= count }
    }

    private static func number(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard !text.isEmpty, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt32(String(decoding: text, as: UTF8.self)).flatMap { $0 == .max ? nil : $0 }
    }

    private static func unknown(_ kind: String, _ name: String) -> ContainerError {
        ContainerError(
            .invalidArgument, code: "launch.unknown-\(kind)", "the container's file system has no \(kind) \(name)",
            step: "looking up the user", subject: name, hint: "give its number, or add it to /etc of the image")
    }
}

extension Containerizer {
    /// Who runs the command, by the user database of the file system that it will see; nil without a user.
    func identity(of container: Container) async throws(ContainerError) -> UserIdentity? {
        guard let text = container.config.user else { return nil }
        let name = try UserName(parsing: text)
        if let identity = name.identity { return identity }
        return try await step(.launch, "look up the user", of: container) {
            let root = try await root(of: container)
            // A file system of the image's choice may take its time.
            return try await pool.run { try UserDatabase(in: root).identity(of: name) }
        }
    }

    private func root(of container: Container) async throws -> Directory {
        if container.config.containerClass == .debug, let parent = container.id.parent,
            let process = table[parent]?.process
        {
            let root = try Directory("/proc/\(process.pid)/root")
            // Still there, so the number was its own all the time.
            try process.signal(0)
            return root
        }
        return container.config.rootfs == nil ? try Directory("/") : try await provisioner.openRoot(container.id)
    }
}
