// SPDX-License-Identifier: Apache-2.0

import Kernel
import SystemPackage
import Testing
import Wire

@testable import Core

/// The launch failure matrix (containerizer.md 3.10): a fault at every step, for a top-level, a nested, a deeply nested
/// and a DEBUG container.
@Suite struct LaunchFailureTests {
    enum Kind: String, Sendable, CaseIterable {
        case top = "x"
        case nested = "a.x"
        case deep = "a.b.x"
        case debug = "a.b.x "

        var name: String { rawValue.filter { $0 != " " } }
        var parents: [String] { name == "x" ? [] : name == "a.x" ? ["a"] : ["a", "a.b"] }
        func config(image: Bool) -> Mesos.Slave.ContainerConfig {
            CoreFixture.config(debug: self == .debug, image: image)
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var point: String
        var image = false
        /// What the failed launch leaves the container in.
        var state: String
        /// Whether a process exists by then, so that the container destroys itself.
        var forked = false
        /// Whether the isolators are cleaned up: not if none was asked to prepare.
        var cleaned = true
        var files: Set<String>
        var testDescription: String { point }
    }

    private static let faults = [
        Fault(point: "provision", image: true, state: "provisioning", cleaned: false, files: []),
        Fault(point: "prepare one", state: "preparing", files: ["config"]),
        Fault(point: "prepare two", state: "preparing", files: ["config"]),
        Fault(point: "fork", state: "preparing", files: ["config", "launch_info"]),
        Fault(
            point: "isolate one", state: "isolating", forked: true, files: ["config", "launch_info", "pid"]),
        Fault(
            point: "isolate two", state: "isolating", forked: true, files: ["config", "launch_info", "pid"]),
        Fault(point: "release", state: "running", forked: true, files: ["config", "launch_info", "pid"]),
    ]

    @Test(arguments: faults, Kind.allCases)
    func aFault(fault: Fault, kind: Kind) async throws {
        if fault.image && kind == .debug { return }
        let fixture = try CoreFixture()
        for parent in kind.parents { try await fixture.launch(parent) }
        let point = "\(fault.point) \(kind.name)"
        fixture.faults.fail(point)
        // The state and the files are looked at before anything is taken down.
        if fault.forked { fixture.faults.hold("kill \(kind.name)") }
        let error = await #expect(throws: ContainerError.self) {
            try await fixture.launch(kind.name, kind.config(image: fault.image))
        }
        #expect(error?.message.contains(point) == true)
        #expect(error?.step.isEmpty == false)
        #expect(await fixture.state(kind.name) == (fault.forked ? "destroying" : fault.state))
        #expect(await fixture.containers == (kind.parents + [kind.name]).sorted())
        for file in ["config", "launch_info", "pid"] {
            let path = "\(fixture.runtimePath(kind.name))/\(file)"
            #expect(fixture.exists(path) == fault.files.contains(file), "\(file)")
        }
        #expect(try await fixture.launch(kind.name) == .alreadyLaunched)

        fixture.faults.release("kill \(kind.name)")
        let termination = try await fixture.destroy(kind.name)
        #expect(termination != nil)
        #expect(termination?.status == (fault.forked ? 9 : nil))
        let cleanups = fixture.faults.log.filter { $0.hasPrefix("cleanup") && $0.hasSuffix(" \(kind.name)") }
        let isolators = fault.cleaned ? ["cleanup two \(kind.name)", "cleanup one \(kind.name)"] : []
        #expect(
            cleanups == isolators + ["cleanup launcher \(kind.name)", "cleanup provisioner \(kind.name)"],
            "all, in the reverse order, also those that were not asked")
        #expect(await fixture.containers == kind.parents)

        fixture.faults.mend(point)
        #expect(try await fixture.launch(kind.name, kind.config(image: fault.image)) == .success)
        if let root = kind.parents.first {
            try await fixture.destroy(root)
        } else {
            try await fixture.destroy(kind.name)
        }
        #expect(try fixture.leftovers().isEmpty)
    }

    struct Checkpoint: Sendable, CustomTestStringConvertible {
        var file: String
        var step: String
        /// Where the launch is held, for the test to take the file's place.
        var point: String
        var state: String
        var testDescription: String { file }
    }

    private static let checkpoints = [
        Checkpoint(file: "config", step: "checkpoint config", point: "provision", state: "provisioning"),
        Checkpoint(file: "launch_info", step: "checkpoint launch info", point: "prepare one", state: "preparing"),
        Checkpoint(file: "pid", step: "checkpoint pid", point: "prepare one", state: "preparing"),
    ]

    @Test(arguments: checkpoints, Kind.allCases)
    func aCheckpointThatCannotBeWritten(checkpoint: Checkpoint, kind: Kind) async throws {
        let needsImage = checkpoint.point == "provision"
        if needsImage && kind == .debug { return }
        let fixture = try CoreFixture()
        for parent in kind.parents { try await fixture.launch(parent) }
        fixture.faults.hold("\(checkpoint.point) \(kind.name)")
        fixture.faults.hold("kill \(kind.name)")
        let launch = Task { try await fixture.launch(kind.name, kind.config(image: needsImage)) }
        try await fixture.faults.reached("\(checkpoint.point) \(kind.name)")
        try Directory(fixture.runtimePath(kind.name)).make(FilePath(checkpoint.file))
        fixture.faults.release("\(checkpoint.point) \(kind.name)")
        let error = await #expect(throws: ContainerError.self) { try await launch.value }
        #expect(error?.step == checkpoint.step)
        #expect(error?.errno == 21, "EISDIR")
        // A process that nobody could find after a crash must not go on.
        let forked = checkpoint.file == "pid"
        #expect(await fixture.state(kind.name) == (forked ? "destroying" : checkpoint.state))
        fixture.faults.release("kill \(kind.name)")
        #expect(try await fixture.destroy(kind.name)?.status == (forked ? 9 : nil))
        #expect(await fixture.containers == kind.parents)
        if let root = kind.parents.first { try await fixture.destroy(root) }
        #expect(try fixture.leftovers().isEmpty)
    }

    /// A pid that only the daemon has would prove that the agent's records were wiped (containerizer.md L12).
    @Test func theAgentsPidComesFirst() async throws {
        let fixture = try CoreFixture()
        fixture.faults.hold("kill x")
        let error = await #expect(throws: ContainerError.self) {
            try await fixture.launch("x", checkpoint: "/nonexistent/pid")
        }
        #expect(error?.step == "checkpoint pid" && error?.errno == 2)
        #expect(!fixture.exists(fixture.runtimePath("x") + "/pid"))
        fixture.faults.release("kill x")
        #expect(try await fixture.destroy("x")?.status == 9)
        let path = fixture.sandboxPath("") + "agent-pid"
        try await fixture.launch("x", checkpoint: path)
        #expect(fixture.exists(path) && fixture.exists(fixture.runtimePath("x") + "/pid"))
        try await fixture.destroy("x")
    }

    /// A destroy that comes while a launch is at a step.
    struct Overtaking: Sendable, CustomTestStringConvertible {
        var point: String
        var image = false
        /// Whether the destroy waits for the step; else it cancels it.
        var waits = true
        var phase: String
        var status: Int32?
        var testDescription: String { point }
    }

    private static let overtakings = [
        Overtaking(point: "provision", image: true, waits: false, phase: "provisioning"),
        Overtaking(point: "prepare one", phase: "preparing"),
        Overtaking(point: "fork", phase: "preparing", status: 9),
        Overtaking(point: "isolate one", phase: "isolating", status: 9),
        Overtaking(point: "release", phase: "running", status: 9),
    ]

    @Test(arguments: overtakings, Kind.allCases)
    func aDestroyMeanwhile(overtaking: Overtaking, kind: Kind) async throws {
        if overtaking.image && kind == .debug { return }
        let fixture = try CoreFixture()
        for parent in kind.parents { try await fixture.launch(parent) }
        let point = "\(overtaking.point) \(kind.name)"
        fixture.faults.hold(point)
        async let launch = fixture.launchOrDestroy(kind.name, kind.config(image: overtaking.image))
        try await fixture.faults.reached(point)
        async let ended = fixture.destroy(kind.name)
        while await fixture.state(kind.name) == overtaking.phase { await Task.yield() }
        if overtaking.waits {
            #expect(await fixture.state(kind.name) == "destroying")
            #expect(!fixture.faults.log.contains("kill \(kind.name)"), "the step comes to its end first")
            fixture.faults.release(point)
        }
        let error = await launch
        if overtaking.point == "release" {
            #expect(error == nil, "the command may have been executed")
        } else {
            #expect(error?.kind == .aborted || error?.kind == .cancelled, "\(error.map(\.description) ?? "")")
        }
        #expect(try await ended?.status == overtaking.status)
        #expect(await fixture.containers == kind.parents)
        if let root = kind.parents.first { try await fixture.destroy(root) }
        #expect(try fixture.leftovers().isEmpty)
    }

    @Test(arguments: Kind.allCases) func isolatorsThatContradictEachOther(kind: Kind) async throws {
        let contribution = Contribution(launchInfo: .init(workingDirectory: "/x"))
        let fixture = try CoreFixture(["one": contribution, "two": contribution])
        let error = await fixture.launchOrDestroy("x")
        #expect(error?.code == "launch.conflict")
        #expect(error?.message.contains("one") == true && error?.message.contains("two") == true)
        #expect(await fixture.containers.isEmpty)
        #expect(try fixture.leftovers().isEmpty)
    }

    /// What an earlier teardown could not do is done by the next one.
    @Test(arguments: ["cleanup one", "cleanup two", "cleanup launcher", "cleanup provisioner", "kill"], Kind.allCases)
    func aFaultOfTheTeardown(point: String, kind: Kind) async throws {
        let fixture = try CoreFixture()
        for name in kind.parents { try await fixture.launch(name) }
        try await fixture.launch(kind.name, kind.config(image: false))
        fixture.faults.fail("\(point) \(kind.name)")
        let error = await #expect(throws: ContainerError.self) { try await fixture.destroy(kind.name) }
        #expect(error?.message.contains("\(point) \(kind.name)") == true)
        #expect(await fixture.state(kind.name) == "destroyFailed")
        let later = fixture.faults.log.filter { $0.hasPrefix("cleanup") && $0.hasSuffix(" \(kind.name)") }
        #expect(later.count == (point == "kill" ? 0 : 4), "the other steps run, unless a process may live")
        await #expect(throws: ContainerError.self) { try await fixture.wait(kind.name) }
        #expect(try await fixture.launch(kind.name) == .alreadyLaunched)

        fixture.faults.mend("\(point) \(kind.name)")
        #expect(try await fixture.destroy(kind.name)?.status == 9)
        #expect(await fixture.containers == kind.parents)
        if let root = kind.parents.first { try await fixture.destroy(root) }
        #expect(try fixture.leftovers().isEmpty)
    }
}
