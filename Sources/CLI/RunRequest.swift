// SPDX-License-Identifier: Apache-2.0
internal import Wire

/// What `gantry run` was asked for, free of how it was written.
struct RunRequest: Equatable {
    var name: ContainerName
    var image: String
    /// The program and its arguments; never empty.
    var command: [String]
    var memory: ByteSize?
    var processors: Processors?
    var processes: UInt64?
    var environment: [(name: String, value: String)] = []
    var workingDirectory: String?
    var user: String?
    var hostname: String?
    /// Names without `CAP_`. nil leaves the daemon's default.
    var capabilities: [Mesos.CapabilityInfo.Capability]?
    /// Kept after the container's end; nil lets the daemon make one and remove it.
    var sandbox: String?

    static func == (left: RunRequest, right: RunRequest) -> Bool {
        left.message() == right.message()
    }

    /// The request of the RPC. A limit is also the request for it: on a machine of one user there is nobody to lend
    /// unused memory to.
    func message() -> Gantry.V1.LaunchRequest {
        var config = Mesos.Slave.ContainerConfig(directory: sandbox ?? "", commandInfo: commandInfo())
        config.user = user
        config.containerInfo = containerInfo()
        if let workingDirectory {
            let image = Docker.Spec.V1.ImageManifest.Config(workingDir: workingDirectory)
            config.docker = Mesos.Slave.ContainerConfig.Docker(manifest: Docker.Spec.V1.ImageManifest(config: image))
        }
        if let memory { add("mem", memory.megabytes, to: &config) }
        if let processors { add("cpus", processors.count, to: &config) }
        if let processes { config.limits["pids"] = Mesos.Value.Scalar(value: Double(processes)) }
        return Gantry.V1.LaunchRequest(containerID: name.id, containerConfig: config)
    }

    private func add(_ resource: String, _ amount: Double, to config: inout Mesos.Slave.ContainerConfig) {
        let scalar = Mesos.Value.Scalar(value: amount)
        config.limits[resource] = scalar
        config.resources.append(Mesos.Resource(name: resource, type: .scalar, scalar: scalar, role: "*"))
    }

    private func commandInfo() -> Mesos.CommandInfo {
        var info = Mesos.CommandInfo(value: command.first, shell: false, arguments: command)
        if !environment.isEmpty {
            info.environment = Mesos.Environment(
                variables: environment.map { Mesos.Environment.Variable(name: $0.name, value: $0.value) })
        }
        return info
    }

    private func containerInfo() -> Mesos.ContainerInfo {
        let image = Mesos.Image(type: .docker, docker: Mesos.Image.Docker(name: image))
        var info = Mesos.ContainerInfo(
            type: .mesos, hostname: hostname, mesos: Mesos.ContainerInfo.MesosInfo(image: image))
        if let capabilities {
            info.linuxInfo = Mesos.LinuxInfo(
                effectiveCapabilities: Mesos.CapabilityInfo(capabilities: capabilities))
        }
        return info
    }
}
