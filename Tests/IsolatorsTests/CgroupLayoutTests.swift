// SPDX-License-Identifier: Apache-2.0

import Core
import Testing
import Wire

struct CgroupLayoutTests {
    private let layout: CgroupLayout

    init() throws {
        layout = try CgroupLayout(root: "gantry")
    }

    @Test(arguments: [
        ("web", "gantry/web"), ("web.a", "gantry/web/mesos/a"), ("web.a.b", "gantry/web/mesos/a/mesos/b"),
    ])
    func idsHavePathsAndPathsIDs(id: String, path: String) throws {
        let container = Mesos.ContainerID(parsing: id)
        #expect(layout.path(container) == path)
        #expect(layout.leaf(container) == path + "/leaf")
        #expect(layout.container(at: path) == container)
        #expect(layout.container(at: path + "/leaf") == container)
        #expect(layout.container(at: "/" + path + "/") == container)
    }

    @Test(arguments: [
        // Gantry's own, a separator, and what is not below the root.
        "", "gantry", "gantry/web/mesos", "gantry/web/mesos/a/mesos", "other/web", "gantr/web", "gantry2/web", "web",
        // What a workload made below its leaf or beside it.
        "gantry/web/leaf/x", "gantry/web/leaf/mesos", "gantry/web/leaf/mesos/a", "gantry/web/x", "gantry/web/x/a",
        "gantry/web/mesos/a/leaf/x", "gantry/web/leaf/leaf",
        // Names that no container has.
        "gantry/leaf", "gantry/agent", "gantry/agent/leaf", "gantry/mesos", "gantry/mesos/mesos/a",
        "gantry/web/mesos/leaf", "gantry/a.b", "gantry/a b",
    ])
    func otherPathsAreNobodys(path: String) {
        #expect(layout.container(at: path) == nil)
    }

    @Test func aRootOfSeveralSegments() throws {
        let layout = try CgroupLayout(root: "/test/root/")
        #expect(layout.root == "test/root")
        let id = Mesos.ContainerID(value: "web")
        #expect(layout.path(id) == "test/root/web")
        #expect(layout.container(at: "test/root/web/leaf") == id)
        #expect(layout.container(at: "test/web") == nil)
    }

    @Test(arguments: ["", "/", "a//b", "a/..", "./a", "a b", "a\n", "//a"])
    func unusableRootsAreRefused(root: String) {
        let error = #expect(throws: ContainerError.self) { try CgroupLayout(root: root) }
        #expect(error?.code == "cgroup.invalid-root")
        #expect(error?.kind == .invalidArgument)
    }
}
