// SPDX-License-Identifier: Apache-2.0

public import Kernel
public import Wire

/// Creates and kills process trees (containerizer.md section 5).
public protocol Launcher: Sendable {
    /// Clones the container's first process, which makes everything ready and then waits for its release.
    func fork(_ id: Mesos.ContainerID, _ request: ForkRequest) async throws -> any ContainerProcess

    /// Kills every process of the container and returns when none is left. Idempotent; an unknown id is done at once.
    func destroy(_ id: Mesos.ContainerID) async throws

    /// Removes what `fork` made for the container, once no process is left. Idempotent.
    func cleanup(_ id: Mesos.ContainerID) async throws

    /// Once at start-up: what a daemon that died left in the kernel, by what the launcher finds there.
    func recover() async throws -> [Mesos.ContainerID]
}

public struct ForkRequest: Sendable {
    /// CLONE_NEW* bits.
    public var namespaces: UInt64
    /// CLONE_NEW* bits of the parent container's namespaces, which are entered before the clone.
    public var enters: UInt64
    /// Whether they are those of the task that the parent, the executor of a command task, runs (containerizer.md 3.9.2).
    public var entersTask: Bool
    /// Whether the container takes a stage, which brings more namespaces and the plan's `attach` trees.
    public var takesStage: Bool
    /// The encoded plan. Init executes it at once, up to the container's own programs.
    public var plan: [UInt8]
    /// Absolute host paths of cgroup v1 directories to join first.
    public var cgroup1Directories: [String]
    /// Where the files `stdout` and `stderr` are (opened for appending, created with mode 0644).
    public var sandbox: Directory
    /// The file that receives the wait status, created and truncated before the process exists.
    public var statusFile: String

    public init(
        namespaces: UInt64, enters: UInt64 = 0, entersTask: Bool = false, takesStage: Bool, plan: [UInt8],
        cgroup1Directories: [String],
        sandbox: Directory, statusFile: String
    ) {
        self.namespaces = namespaces
        self.enters = enters
        self.entersTask = entersTask
        self.takesStage = takesStage
        self.plan = plan
        self.cgroup1Directories = cgroup1Directories
        self.sandbox = sandbox
        self.statusFile = statusFile
    }
}

/// A container's first process. It mounts what is to be mounted, and runs no program of the container before `release`.
public protocol ContainerProcess: Sendable {
    /// In the daemon's pid namespace.
    var pid: Int32 { get }

    /// Lets the container's own programs run. Once.
    func release() async throws

    /// What init says after `release`: nil when the command was executed (or init was killed before), else the step
    /// that failed.
    func report() async throws -> Gantry.Init.V1.Report?

    /// Returns when the process has ended and is reaped: its wait status, or nil when it was not our child.
    func exit() async throws -> Int32?

    /// kill(2) through the pidfd.
    func signal(_ number: Int32) throws
}
