// SPDX-License-Identifier: Apache-2.0

public import Core

extension IsolatorRegistry {
    /// Deprecated names and what they stand for.
    private static let aliases = [
        "process": ["posix/cpu", "posix/mem"],
        "cgroups": ["cgroups/cpu", "cgroups/mem"],
        "posix/disk": ["disk/du"],
    ]

    /// The one set of names that everybody goes by (isolators.md 1.2). Names that the contract adds by itself are added
    /// when the table has them.
    ///
    /// - Throws: kind `invalidArgument`: `isolation.duplicate`, `isolation.unknown` (with all known names),
    ///   `isolation.conflict`.
    public static func normalize(_ isolation: String) throws(ContainerError) -> Set<String> {
        try normalize(isolation, known: names)
    }

    static func normalize(_ isolation: String, known: [String]) throws(ContainerError) -> Set<String> {
        var enabled: Set<String> = []
        for word in isolation.split(separator: ",", omittingEmptySubsequences: false) {
            let given = trimmed(word)
            guard !(given.isEmpty && isolation.allSatisfy { $0 == " " }) else { break }
            for name in aliases[given] ?? [given] {
                guard known.contains(name) else { throw unknown(name, given, known) }
                guard enabled.insert(name).inserted else {
                    throw refusal("isolation.duplicate", name, "\"\(name)\" is named twice", "name it once")
                }
            }
        }
        try addImplied(to: &enabled, known: Set(known))
        return enabled
    }

    private static func addImplied(to enabled: inout Set<String>, known: Set<String>) throws(ContainerError) {
        try requireOne(enabled, "filesystem/", except: [])
        try requireOne(enabled, "network/", except: ["network/ports"])
        var implied: Set<String> = ["environment_secret"]
        if !enabled.contains(where: { $0.hasPrefix("filesystem/") }) { implied.insert("filesystem/posix") }
        if !enabled.contains(where: { $0.hasPrefix("network/") && $0 != "network/ports" }) {
            implied.insert("network/cni")
        }
        if enabled.contains("filesystem/linux") {
            implied.formUnion(["volume/image", "volume/host_path", "volume/sandbox_path"])
        }
        enabled.formUnion(implied.intersection(known))
    }

    private static func requireOne(
        _ enabled: Set<String>, _ prefix: String, except: Set<String>
    ) throws(ContainerError) {
        let rivals = enabled.filter { $0.hasPrefix(prefix) && !except.contains($0) }.sorted()
        guard rivals.count > 1 else { return }
        throw refusal(
            "isolation.conflict", rivals[1], "\(rivals.joined(separator: " and ")) exclude each other",
            "keep one of them")
    }

    private static func unknown(_ name: String, _ given: String, _ known: [String]) -> ContainerError {
        let origin = name == given ? "" : " (from \"\(given)\")"
        return refusal(
            "isolation.unknown", name, "there is no isolator \"\(name)\"\(origin)",
            "known are \(known.joined(separator: ", "))")
    }

    private static func refusal(
        _ code: String, _ name: String, _ message: String, _ hint: String
    ) -> ContainerError {
        ContainerError(
            .invalidArgument, code: code, message, step: "reading --isolation", subject: name, hint: hint)
    }

    private static func trimmed(_ word: Substring) -> String {
        var word = word
        while word.first == " " { word.removeFirst() }
        while word.last == " " { word.removeLast() }
        return String(word)
    }
}
