// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What a container asks for, out of Mesos's general resources: plain scalar amounts by name. `mem` is in MB of
/// 2^20 bytes, `cpus` in cores, `pids` in tasks.
public struct ResourceAmounts: Sendable, Hashable {
    public var cpus: Double?
    public var mem: Double?
    public var pids: Double?

    /// Amounts of the same name add up.
    public init(_ resources: [Mesos.Resource]) {
        for resource in resources {
            guard let amount = resource.scalar?.value else { continue }
            switch resource.name {
            case "cpus": cpus = (cpus ?? 0) + amount
            case "mem": mem = (mem ?? 0) + amount
            case "pids": pids = (pids ?? 0) + amount
            default: break
            }
        }
    }

    public init(_ limits: [String: Mesos.Value.Scalar]) {
        cpus = limits["cpus"]?.value
        mem = limits["mem"]?.value
        pids = limits["pids"]?.value
    }
}

extension ResourceAmounts {
    /// Refuses amounts that no container could run with, instead of a launch that dies without a word.
    ///
    /// - Throws: `resources.invalid-…`, kind `invalidArgument`.
    public static func validate(
        requests: [Mesos.Resource], limits: [String: Mesos.Value.Scalar]
    ) throws(ContainerError) {
        for (amounts, what) in [(ResourceAmounts(requests), "request"), (ResourceAmounts(limits), "limit")] {
            try amounts.validate(as: what)
        }
    }

    private func validate(as what: String) throws(ContainerError) {
        if let cpus, !(cpus >= 0.001) {
            throw Self.invalid("cpus", "a cpu \(what) of \(cpus) cores is below the least of 0.001")
        }
        if let mem, !(mem >= 1) {
            let bytes = mem.isFinite ? "\(Int64(clamping: mem * 1_048_576)) bytes" : "\(mem)"
            throw Self.invalid("mem", "a memory \(what) of \(bytes) is below the least of 1 MiB")
        }
        if let pids, !(pids >= 2) {
            throw Self.invalid("pids", "a process \(what) of \(pids) leaves no room for init and the command")
        }
    }

    private static func invalid(_ name: String, _ message: String) -> ContainerError {
        let hint =
            switch name {
            case "mem": "ask for 32 MiB or more (less is raised to 32 MiB), or leave the limit out"
            case "cpus": "ask for 0.01 or more, or leave the limit out"
            default: "ask for 2 or more, or leave the limit out"
            }
        return ContainerError(
            .invalidArgument, code: "resources.invalid-\(name)", message, step: "checking the resources",
            subject: name, hint: hint)
    }
}

extension Int64 {
    /// The nearest representable integer; 0 for NaN.
    init(clamping value: Double) {
        if value.isNaN {
            self = 0
        } else if value >= 9.2e18 {
            self = .max
        } else if value <= -9.2e18 {
            self = .min
        } else {
            self = Int64(value)
        }
    }
}
