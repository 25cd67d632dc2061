// SPDX-License-Identifier: Apache-2.0

public import Core
public import Kernel
public import Reactor

/// What isolators are made from.
public struct IsolatorEnvironment: Sendable {
    public var reactor: Reactor
    public var pool: BlockingPool
    public var cgroups: CgroupMounts
    public var settings: IsolatorSettings

    public init(reactor: Reactor, pool: BlockingPool, cgroups: CgroupMounts, settings: IsolatorSettings) {
        self.reactor = reactor
        self.pool = pool
        self.cgroups = cgroups
        self.settings = settings
    }
}

/// The daemon's flags that isolators look at (isolators.md 16).
public struct IsolatorSettings: Sendable {
    /// `--cgroups-root`.
    public var cgroupLayout: CgroupLayout
    /// Whether the linux launcher runs the containers; the isolators of this room need it.
    public var usesLinuxLauncher = true
    /// Where the sandbox appears in a container with an image.
    public var sandboxDirectory = "/mnt/mesos/sandbox"
    /// `cgroups_enable_cfs`: a container without a cpu limit may use no more than it asked for.
    public var enforcesCPURequests = false
    /// `revocable_cpu_low_priority`.
    public var lowersRevocableCPUs = true
    /// `cgroups_cpu_enable_pids_and_tids_count`; always on with `cgroups/pids`.
    public var countsProcesses = false
    /// `effective_capabilities`; nil when the flag is not given.
    public var effectiveCapabilities: CapabilitySet?
    /// `bounding_capabilities`; nil when the flag is not given.
    public var boundingCapabilities: CapabilitySet?
    public var disallowsSharingPIDNamespace = false
    public var disallowsSharingIPCNamespace = false
    /// `default_container_shm_size`, MB.
    public var defaultSharedMemorySize: UInt32?

    public init(cgroupLayout: CgroupLayout) {
        self.cgroupLayout = cgroupLayout
    }
}
