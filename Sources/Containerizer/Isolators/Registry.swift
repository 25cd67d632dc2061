// SPDX-License-Identifier: Apache-2.0

public import Core
import Kernel

/// The isolators that Gantry has, in the order in which they prepare a container (isolators.md 1.3). A new isolator is a
/// file and a row.
struct IsolatorRow: Sendable {
    /// The names in `--isolation` that make this one isolator; it is made once for any number of them.
    var names: [String]
    /// A name that must be enabled beside it.
    var requires: String?
    /// Whether only the linux launcher can do what it asks for.
    var needsLinuxLauncher: Bool
    /// Whether it is made although none of its names was given.
    var isImplied: @Sendable (IsolatorEnvironment) -> Bool
    /// `enabled` are all names, of every row.
    var make: @Sendable (_ environment: IsolatorEnvironment, _ enabled: Set<String>) throws -> any Isolator

    init(
        _ names: String..., requires: String? = nil, needsLinuxLauncher: Bool = true,
        isImplied: @escaping @Sendable (IsolatorEnvironment) -> Bool = { _ in false },
        make: @escaping @Sendable (IsolatorEnvironment, Set<String>) throws -> any Isolator
    ) {
        self.names = names
        self.requires = requires
        self.needsLinuxLauncher = needsLinuxLauncher
        self.isImplied = isImplied
        self.make = make
    }
}

extension IsolatorRow {
    static let all = [
        IsolatorRow("filesystem/linux") { environment, enabled in
            FilesystemLinux(
                sandboxDirectory: environment.settings.sandboxDirectory,
                hasIPCIsolator: enabled.contains("namespaces/ipc"), hasCgroupView: environment.cgroups.mode == .v2,
                hasVolumes: enabled.contains { $0.hasPrefix("volume/") })
        },
        // The linux launcher puts processes into cgroups that this isolator makes, on version 2.
        IsolatorRow(
            "cgroups/all", "cgroups/cpu", "cgroups/mem", "cgroups/pids",
            isImplied: { $0.settings.usesLinuxLauncher && $0.cgroups.mode == .v2 }
        ) { environment, enabled in
            try CgroupsIsolator(environment, names: enabled.filter { $0.hasPrefix("cgroups/") })
        },
        IsolatorRow("linux/capabilities", needsLinuxLauncher: false) { environment, _ in
            try LinuxCapabilities(
                effective: environment.settings.effectiveCapabilities,
                bounding: environment.settings.boundingCapabilities)
        },
        IsolatorRow("linux/nnp", needsLinuxLauncher: false) { _, _ in LinuxNNP() },
        IsolatorRow("namespaces/ipc", requires: "filesystem/linux") { environment, _ in
            NamespacesIPC(
                disallowsSharing: environment.settings.disallowsSharingIPCNamespace,
                defaultSize: environment.settings.defaultSharedMemorySize)
        },
        IsolatorRow("namespaces/pid", requires: "filesystem/linux") { environment, _ in
            NamespacesPID(disallowsSharing: environment.settings.disallowsSharingPIDNamespace)
        },
        IsolatorRow("namespaces/uts") { _, _ in NamespacesUTS() },
        IsolatorRow("namespaces/net") { _, _ in NamespacesNet() },
    ]
}

/// From `--isolation` to isolators.
public enum IsolatorRegistry {
    /// Every name that `--isolation` takes, in order.
    public static var names: [String] { IsolatorRow.all.flatMap(\.names) }

    /// The isolators for the value of `--isolation`, in the order of the table.
    ///
    /// - Throws: what `normalize` throws, `isolation.missing-requirement`, `isolation.launcher`, and whatever an
    ///   isolator finds missing on this machine; all are start-up errors.
    public static func make(_ isolation: String, _ environment: IsolatorEnvironment) throws -> [any Isolator] {
        let enabled = try normalize(isolation)
        var isolators: [any Isolator] = []
        for row in IsolatorRow.all {
            guard let name = row.names.first(where: enabled.contains) ?? row.impliedName(environment) else { continue }
            if row.needsLinuxLauncher, !environment.settings.usesLinuxLauncher {
                throw failure(
                    "isolation.launcher", name, "needs the linux launcher", "start gantryd with --launcher=linux")
            }
            if let other = row.requires, !enabled.contains(other) {
                throw failure("isolation.missing-requirement", name, "needs \(other)", "add \(other) to --isolation")
            }
            isolators.append(try row.make(environment, enabled))
        }
        return isolators
    }

    private static func failure(_ code: String, _ name: String, _ words: String, _ hint: String) -> ContainerError {
        ContainerError(
            .failedPrecondition, code: code, "the isolator \(name) \(words)", step: "reading --isolation",
            subject: name, hint: hint)
    }
}

extension IsolatorRow {
    fileprivate func impliedName(_ environment: IsolatorEnvironment) -> String? {
        isImplied(environment) ? names.first : nil
    }
}
