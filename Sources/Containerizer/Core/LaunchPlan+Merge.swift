// SPDX-License-Identifier: Apache-2.0

import Wire

/// An isolator's contribution with its author, for error messages.
struct NamedContribution {
    var isolator: String
    var contribution: Contribution
}

/// Merges what the isolators ask for into one launch info, by containerizer.md 3.5.
struct LaunchInfoMerge {
    private(set) var merged = Mesos.Slave.ContainerLaunchInfo()
    /// Who set each field that only one isolator may set.
    private var authors: [String: String] = [:]

    mutating func add(_ named: NamedContribution) throws(ContainerError) {
        let info = named.contribution.launchInfo
        let author = named.isolator
        try refuse(info.rootfs, "rootfs", author)
        try refuse(info.user, "user", author)
        try setOnce(\.workingDirectory, info.workingDirectory, "working_directory", author)
        try setOnce(\.effectiveCapabilities, info.effectiveCapabilities, "effective_capabilities", author)
        try setOnce(\.rlimits, info.rlimits, "rlimits", author)
        try setOnce(\.ttySlavePath, info.ttySlavePath, "tty_slave_path", author)
        if let bounding = info.boundingCapabilities {
            merged.boundingCapabilities =
                Mesos.CapabilityInfo(
                    capabilities: (merged.boundingCapabilities?.capabilities ?? []) + bounding.capabilities)
        }
        if let flag = info.noNewPrivileges { merged.noNewPrivileges = flag }
        if let command = info.command { merged.command = merged.command?.merging(command) ?? command }
        if let environment = info.environment {
            merged.environment =
                Mesos.Environment(variables: (merged.environment?.variables ?? []) + environment.variables)
        }
        if let environment = info.taskEnvironment {
            merged.taskEnvironment =
                Mesos.Environment(variables: (merged.taskEnvironment?.variables ?? []) + environment.variables)
        }
        if let profile = info.seccompProfile { try merge(profile) }
        merged.preExecCommands += info.preExecCommands
        merged.taskSupplementaryGroups += info.taskSupplementaryGroups
        merged.mounts += info.mounts
        merged.fileOperations += info.fileOperations
        merged.maskedPaths += info.maskedPaths
        merged.cloneNamespaces = Set(merged.cloneNamespaces + info.cloneNamespaces).sorted()
        merged.enterNamespaces = Set(merged.enterNamespaces + info.enterNamespaces).sorted()
        merged.supplementaryGroups = Set(merged.supplementaryGroups + info.supplementaryGroups).sorted()
    }

    /// Protobuf's merge: single values overwrite, lists append.
    private mutating func merge(_ profile: Mesos.Seccomp.ContainerSeccompProfile) throws(ContainerError) {
        guard var sum = merged.seccompProfile else {
            merged.seccompProfile = profile
            return
        }
        do {
            try sum.merge(profile)
        } catch {
            throw ContainerError(wrapping: error, step: "merging the launch plan")
        }
        merged.seccompProfile = sum
    }

    /// The containerizer itself sets these.
    private func refuse<Value>(_ value: Value?, _ field: String, _ author: String) throws(ContainerError) {
        guard value != nil else { return }
        throw ContainerError(
            .internal, code: "launch.isolator-set-\(field)", "isolator \(author) set \(field), which no isolator may",
            step: "merging the launch plan", subject: author, hint: "leave \(author) out of --isolation")
    }

    private mutating func setOnce<Value>(
        _ path: WritableKeyPath<Mesos.Slave.ContainerLaunchInfo, Value?>, _ value: Value?, _ field: String,
        _ author: String
    ) throws(ContainerError) {
        guard let value else { return }
        if let first = authors[field] {
            throw ContainerError(
                .internal, code: "launch.conflict", "isolators \(first) and \(author) both set \(field)",
                step: "merging the launch plan", subject: field,
                hint: "leave \(first) or \(author) out of --isolation")
        }
        authors[field] = author
        merged[keyPath: path] = value
    }
}

extension Mesos.CommandInfo {
    /// Protobuf's merge: single values overwrite, lists append.
    fileprivate func merging(_ other: Mesos.CommandInfo) -> Mesos.CommandInfo {
        var result = self
        if let value = other.value { result.value = value }
        if let shell = other.shell { result.shell = shell }
        if let user = other.user { result.user = user }
        result.arguments += other.arguments
        result.uris += other.uris
        if let environment = other.environment {
            result.environment =
                Mesos.Environment(variables: (result.environment?.variables ?? []) + environment.variables)
        }
        return result
    }
}
