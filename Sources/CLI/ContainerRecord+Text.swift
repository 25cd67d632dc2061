// SPDX-License-Identifier: Apache-2.0
internal import Wire

extension Gantry.V1.ContainerRecord {
    /// The id as users write it.
    var name: String {
        containerID.map { ContainerName($0).description } ?? ""
    }

    /// What the container was made from: the name of its image.
    var image: String {
        let image = config?.containerInfo?.mesos?.image
        return image?.docker?.name ?? image?.appc?.name ?? ""
    }

    /// The command as one would type it.
    var command: String {
        guard let info = config?.commandInfo else { return "" }
        if info.shellOrDefault || info.arguments.isEmpty { return info.value ?? "" }
        return info.arguments.map(quoted).joined(separator: " ")
    }

    /// When the launch began, in nanoseconds of Unix time; 0 if that is not known.
    var startedUnixNano: Int64 {
        steps.first { $0.startedUnixNano > 0 }?.startedUnixNano ?? stateSinceUnixNano
    }
}

/// An argument with the quotes that a shell would need.
private func quoted(_ argument: String) -> String {
    let plain = argument.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=,@%+".contains($0) }
    if plain && !argument.isEmpty { return argument }
    var text = ""
    for character in argument {
        if character == "'" { text += "'\\''" } else { text.append(character) }
    }
    return "'" + text + "'"
}
