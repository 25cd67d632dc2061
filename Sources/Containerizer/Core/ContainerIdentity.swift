// SPDX-License-Identifier: Apache-2.0

public import Wire

/// The identity of a container: a name, below the identities of its ancestors (containerizer.md glossary and 2.1).
extension Mesos.ContainerID {
    /// One name a level, root first.
    public var segments: [String] {
        var names = [value]
        var next = parent
        while let id = next {
            names.append(id.value)
            next = id.parent
        }
        return names.reversed()
    }

    /// Root first, joined with dots: `web.sidecar`.
    public var text: String {
        parent == nil ? value : segments.joined(separator: ".")
    }

    /// The id from its text form. Not validated.
    public init(parsing text: String) {
        var id: Mesos.ContainerID?
        for segment in text.split(separator: ".", omittingEmptySubsequences: false) {
            id = Mesos.ContainerID(value: String(segment), parent: id)
        }
        self = id ?? Mesos.ContainerID(value: "")
    }

    /// Refuses every id that could not be a directory and a cgroup of its own. Ids become path components, so nothing
    /// that was not validated may reach the core.
    ///
    /// - Throws: `container.invalid-id`, with the rule that was broken.
    public func validate() throws(ContainerError) {
        for (depth, segment) in segments.enumerated() {
            guard depth < Self.maximumDepth else { throw Self.invalid(text, "has more than 32 levels") }
            if let reason = Self.objection(to: segment) { throw Self.invalid(segment, reason) }
        }
    }

    /// The kernel nests pid namespaces 32 deep.
    private static let maximumDepth = 32
    /// NAME_MAX less what the original adds to the name of a container's files.
    private static let maximumLength = 242
    /// Names that Gantry's own directories have in a cgroup tree.
    private static let reserved: Set<String> = ["agent", "leaf", "mesos"]

    private static func objection(to segment: String) -> String? {
        let bytes = segment.utf8
        if bytes.isEmpty { return "is empty" }
        if bytes.count > maximumLength { return "is longer than \(maximumLength) bytes" }
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "contains a control character" }
        if bytes.contains(UInt8(ascii: "/")) || bytes.contains(UInt8(ascii: "\\")) { return "contains a slash" }
        if bytes.contains(UInt8(ascii: ".")) { return "contains a dot" }
        if bytes.contains(UInt8(ascii: " ")) { return "contains a space" }
        if reserved.contains(segment) { return "is a reserved name" }
        return nil
    }

    private static func invalid(_ subject: String, _ reason: String) -> ContainerError {
        let shown = String(String.UnicodeScalarView(subject.unicodeScalars.prefix(64).filter { $0.value >= 0x20 }))
        return ContainerError(
            .invalidArgument, code: "container.invalid-id", "the container id \"\(shown)\" \(reason)",
            step: "checking the id", subject: shown,
            hint: "use 1 to 242 letters, digits, '-' and '_'; no slash, dot, space or control character")
    }
}
