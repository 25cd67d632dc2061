// SPDX-License-Identifier: Apache-2.0

/// Who a command runs as, in the kernel's numbers.
public struct UserIdentity: Sendable, Hashable {
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary groups: exactly those that the user database gives the user (CVE-2022-36109, CVE-2023-25173).
    public var groups: [UInt32]

    public init(uid: UInt32, gid: UInt32, groups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}

/// A user as a request names it: `USER` or `USER:GROUP`, each a number or a name.
struct UserName: Hashable {
    enum Part: Hashable {
        case number(UInt32)
        case name(String)
    }

    var user: Part
    var group: Part?

    /// - Throws: `launch.invalid-user`. 4294967295 is refused: the kernel takes it for "leave as it is".
    init(parsing text: String) throws(ContainerError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(Self.part)
        guard (1...2).contains(parts.count), let user = parts[0], let group = parts.count == 2 ? parts[1] : user else {
            throw ContainerError(
                .invalidArgument, code: "launch.invalid-user", "\"\(text)\" is not a user that can be used",
                step: "checking the request", subject: "user",
                hint: "give USER or USER:GROUP, each a name of the image or a number below 4294967295")
        }
        self.user = user
        self.group = parts.count == 2 ? group : nil
    }

    /// What needs no database: numbers, of which one alone is also the group, and `root`.
    var identity: UserIdentity? {
        switch (user, group) {
        case (.name("root"), nil): UserIdentity(uid: 0, gid: 0)
        case (.number(let uid), nil): UserIdentity(uid: uid, gid: uid)
        case (.number(let uid), .number(let gid)): UserIdentity(uid: uid, gid: gid)
        default: nil
        }
    }

    private static func part(_ text: Substring) -> Part? {
        let bytes = text.utf8
        if !bytes.isEmpty, bytes.allSatisfy({ (0x30...0x39).contains($0) }) {
            return UInt32(text).flatMap { $0 == .max ? nil : .number($0) }
        }
        let isName =
            (1...longestName).contains(bytes.count) && bytes.first != UInt8(ascii: "-")
            && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }
        return isName ? .name(String(text)) : nil
    }

    /// LOGIN_NAME_MAX of limits.h.
    private static let longestName = 256
}
