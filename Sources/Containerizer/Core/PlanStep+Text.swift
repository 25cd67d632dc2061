// SPDX-License-Identifier: Apache-2.0

import Kernel
import Wire

/// Init's steps in words, for people.
extension Gantry.Init.V1.Step.Kind {
    /// The name as in reports of a failure, and what the step does. Values of variables are left out: there may be
    /// secrets among them.
    var description: (name: String, text: String) {
        switch self {
        case .propagation(let step): ("propagation", Self.propagation(step.flags))
        case .overlayRoot(let step):
            ("overlay_root", "\(step.lower.count) layers on \(PlanText.shown(step.target))")
        case .bindRoot(let step):
            ("bind_root", PlanText.shown(step.target) + (step.readOnly ? ", read-only" : ""))
        case .pivotRoot: ("pivot_root", "")
        case .cgroupNamespace: ("cgroup_namespace", "")
        case .hostname(let step): ("hostname", PlanText.shown(step.name))
        case .loopback: ("loopback", "lo up")
        case .resourceLimit(let step):
            ("resource_limit", "number \(step.resource): \(Self.limit(step.soft)) to \(Self.limit(step.hard))")
        case .workingDirectory(let step): ("working_directory", PlanText.shown(step.path))
        case .identity(let step): ("identity", Self.identity(step))
        case .capabilities(let step): ("capabilities", Self.capabilities(step))
        case .noNewPrivileges: ("no_new_privileges", "")
        case .execute(let step):
            ("execute", Self.program(step.path, step.arguments, step.environment))
        case .command(let step): ("command", Self.program(step.path, step.arguments, step.environment))
        case .terminal: ("terminal", "")
        case .seccomp(let step): ("seccomp", "\(step.program.count / 8) instructions")
        case .park(let step): ("park", "\(step.trees.count) trees")
        case .mount, .bind, .attach, .attributes: mountDescription
        case .directory, .device, .symbolicLink, .mask, .file: fileDescription
        }
    }

    private var mountDescription: (name: String, text: String) {
        switch self {
        case .mount(let step):
            let options = MountAttributes(rawValue: step.attributes).names + step.options.map(PlanText.shown)
            return ("mount", "\(PlanText.shown(step.type)) on \(PlanText.shown(step.target))" + Self.list(options))
        case .bind(let step):
            let options =
                (step.recursive ? ["recursive"] : []) + MountAttributes(rawValue: step.attributes).names
                + (step.optional ? ["if there"] : [])
            let source = PlanText.shown(step.source) + (step.sourceInRoot ? " of the container" : "")
            return ("bind", "\(source) on \(PlanText.shown(step.target))" + Self.list(options))
        case .attach(let step): return ("attach", "tree \(step.tree) on \(PlanText.shown(step.target))")
        case .attributes(let step):
            return ("attributes", PlanText.shown(step.path) + Self.list(MountAttributes(rawValue: step.set).names))
        default: return ("", "")
        }
    }

    private var fileDescription: (name: String, text: String) {
        switch self {
        case .directory(let step): ("directory", "\(PlanText.shown(step.path)), mode \(Self.octal(step.mode))")
        case .device(let step):
            (
                "device",
                "\(PlanText.shown(step.path)), \(step.major):\(step.minor), mode \(Self.octal(step.mode & 0o7777))"
            )
        case .symbolicLink(let step): ("symbolic_link", "\(PlanText.shown(step.path)) to \(PlanText.shown(step.to))")
        case .mask(let step): ("mask", PlanText.shown(step.path))
        case .file(let step):
            ("file", "\(PlanText.shown(step.path)), \(step.content.count) bytes, mode \(Self.octal(step.mode))")
        default: ("", "")
        }
    }

    /// MS_* of mount(2).
    private static func propagation(_ flags: UInt64) -> String {
        let names: [(UInt64, String)] = [
            (1 << 18, "private"), (1 << 19, "slave"), (1 << 20, "shared"), (1 << 14, "all"),
        ]
        return names.filter { flags & $0.0 != 0 }.map(\.1).joined(separator: ", ")
    }

    private static func limit(_ value: UInt64) -> String {
        value == .max ? "unlimited" : String(value)
    }

    private static func identity(_ step: Gantry.Init.V1.Identity) -> String {
        let groups = step.groups.map(String.init).joined(separator: ",")
        return "\(step.uid):\(step.gid)" + (groups.isEmpty ? "" : ", groups \(groups)")
    }

    private static func capabilities(_ step: Gantry.Init.V1.Capabilities) -> String {
        let names = CapabilitySet(rawValue: step.effective).names
        return (names.isEmpty ? "none" : names.joined(separator: ","))
            + (step.ambient == 0 ? "" : ", kept by other users than root")
    }

    private static func program(_ path: [UInt8], _ arguments: [[UInt8]], _ environment: [[UInt8]]) -> String {
        let variables = environment.map {
            PlanText.shown($0.split(separator: UInt8(ascii: "=")).first.map(Array.init) ?? [])
        }
        let words = arguments.map { "\"\(PlanText.shown($0))\"" }.joined(separator: " ")
        return "\(PlanText.shown(path)) \(words), with \(variables.joined(separator: " "))"
    }

    private static func octal(_ mode: UInt32) -> String {
        "0" + String(mode, radix: 8)
    }

    private static func list(_ options: [String]) -> String {
        options.isEmpty ? "" : ", " + options.joined(separator: ",")
    }
}
