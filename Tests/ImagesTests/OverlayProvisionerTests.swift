// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import SystemPackage
import Testing
import Wire

@testable import Images

@Suite(.enabled(if: isRoot, "needs root"), .serialized)
struct OverlayProvisionerTests {
    /// The paths in the step, without their NULs.
    private static func paths(
        _ provisioned: Provisioned
    ) throws -> (target: String, lower: [String], upper: String, work: String) {
        guard case .overlayRoot(let root) = provisioned.root else { throw Errno.invalidArgument }
        func text(_ bytes: [UInt8]) throws -> String {
            #expect(bytes.last == 0 && !bytes.dropLast().contains(0))
            return String(decoding: bytes.dropLast(), as: UTF8.self)
        }
        return (try text(root.target), try root.lower.map(text), try text(root.upper), try text(root.work))
    }

    private static func overlay(_ provisioned: Provisioned) throws -> Directory {
        let paths = try paths(provisioned)
        return try Directory.detachedOverlay(
            lower: Directory(paths.lower[0]), upper: Directory(paths.upper), work: Directory(paths.work))
    }

    @Test func makesARootThatCanBeMounted() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        let provisioned = try await fixture.provisioner.provision(id("web"), image("test"))
        let base = "\(fixture.root)/provisioner/containers/web"
        let paths = try Self.paths(provisioned)
        #expect(provisioned.rootfs == "\(base)/backends/overlay/rootfses/0")
        #expect(paths.target == provisioned.rootfs)
        #expect(paths.upper == "\(base)/backends/overlay/scratch/0/upperdir")
        #expect(paths.work == "\(base)/backends/overlay/scratch/0/workdir")
        #expect(provisioned.ephemeralVolumes == [paths.upper, paths.work])
        let layer = fixture.store.directories.rootfsPath(of: try #require(Digest(text: record.layers[0])))
        #expect(paths.lower == [layer])
        let checkpoint = try #require(try Directory(base).readFile("layers", limit: 1000))
        let length = checkpoint.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        #expect(Int(length) == checkpoint.count - 4)
        #expect(try Mesos.Slave.ContainerLayers(decoding: Array(checkpoint.dropFirst(4))).paths == [layer])

        do {
            let root = try Self.overlay(provisioned)
            #expect(try root.information().permissions == 0o755)
            #expect(try root.readFile("etc/passwd", limit: 100) == Array("root:x:0:0\n".utf8))
            try root.replaceFile("etc/passwd", with: [1])
            try root.unlink("bin/sh")
        }
        // The layer is as it was; the changes are above.
        #expect(try Directory(layer).readFile("etc/passwd", limit: 100) == Array("root:x:0:0\n".utf8))
        #expect(try Directory(paths.upper).readFile("etc/passwd", limit: 100) == [1])
        #expect(try Directory(paths.upper).information("bin/sh").kind == .characterDevice)
        #expect(try await fixture.provisioner.destroy(id("web")))
        #expect(try await !fixture.provisioner.destroy(id("web")))
        #expect(try Directory("\(fixture.root)/provisioner/containers").names() == [])
    }

    @Test func theRootLooksLikeTheImages() async throws {
        let fixture = try StoreFixture()
        var tar = TarBuilder()
        tar.add("./", type: "5", mode: 0o1750, user: 5, group: 6)
        tar.add("x", [1])
        try await fixture.importArchive(tar.archive)
        let provisioned = try await fixture.provisioner.provision(id("web"), image("test"))
        let root = try Self.overlay(provisioned).information()
        #expect(root.permissions == 0o1750 && root.userID == 5 && root.groupID == 6)
    }

    @Test func aSecondImageOfTheSameContainer() async throws {
        let fixture = try StoreFixture()
        let first = try await fixture.importArchive(TarBuilder.small.archive, as: "one")
        var other = TarBuilder()
        other.add("x", [1])
        let second = try await fixture.importArchive(other.archive, as: "two")
        _ = try await fixture.provisioner.provision(id("web"), image("one"))
        let volume = try await fixture.provisioner.provision(id("web"), image("two"))
        #expect(volume.rootfs.hasSuffix("/web/backends/overlay/rootfses/1"))
        #expect(try Self.overlay(volume).readFile("x", limit: 10) == [1])
        let container = try Directory("\(fixture.root)/provisioner/containers/web")
        let checkpoint = try #require(try container.readFile("layers", limit: 1000))
        let layers = try Mesos.Slave.ContainerLayers(decoding: Array(checkpoint.dropFirst(4))).paths
        #expect(layers.count == 2)
        for record in [first, second] {
            let error = await containerError { _ = try await fixture.store.remove(record.reference) }
            #expect(error?.code == "image.in-use")
        }
        #expect(try await fixture.provisioner.destroy(id("web")))
        #expect(try await fixture.store.remove("two") == 1)
    }

    @Test func nestedContainers() async throws {
        let fixture = try StoreFixture()
        try await fixture.importArchive(TarBuilder.small.archive)
        // Its parent has no image.
        let nested = try await fixture.provisioner.provision(id("a", "b"), image("test"))
        #expect(nested.rootfs.hasSuffix("/containers/a/containers/b/backends/overlay/rootfses/0"))
        _ = try await fixture.provisioner.provision(id("a", "b", "c"), image("test"))
        _ = try await fixture.provisioner.provision(id("a.b"), image("test"))
        #expect(try await fixture.provisioner.destroy(id("a")))
        #expect(try await !fixture.provisioner.destroy(id("a", "b")))
        let error = await containerError { _ = try await fixture.store.remove("test") }
        #expect(error?.message == "image test:latest is in use by container a.b")
        #expect(try await fixture.provisioner.destroy(id("a.b")))
        #expect(try await fixture.store.remove("test") == 13)
    }

    @Test func imagesInUseStay() async throws {
        let fixture = try StoreFixture()
        let record = try await fixture.importArchive(TarBuilder.small.archive)
        _ = try await fixture.provisioner.provision(id("web"), image("test"))
        _ = try await fixture.provisioner.provision(id("db"), image("test"))
        let error = await containerError { _ = try await fixture.store.remove("test") }
        #expect(error?.code == "image.in-use" && error?.kind == .failedPrecondition)
        #expect(error?.message == "image test:latest is in use by containers db, web")
        #expect(fixture.store.list() == [record])
        #expect(try await fixture.store.remove("test", force: true) == 0)
        #expect(fixture.store.list().isEmpty)
        #expect(try fixture.counts == (1, 0, 0))
        #expect(
            await containerError { _ = try await fixture.provisioner.provision(id("x"), image("test")) }?.code
                == "image.not-found")
        #expect(try await fixture.provisioner.destroy(id("web")))
        #expect(try fixture.counts == (1, 0, 0))
        #expect(try await fixture.provisioner.destroy(id("db")))
        #expect(try fixture.counts == (0, 0, 0))
    }

    @Test func recoveryKeepsWhatIsKnown() async throws {
        let fixture = try StoreFixture()
        try await fixture.importArchive(TarBuilder.small.archive)
        for name in ["web", "old"] { _ = try await fixture.provisioner.provision(id(name), image("test")) }
        _ = try await fixture.provisioner.provision(id("pod", "in"), image("test"))
        _ = try await fixture.provisioner.provision(id("pod"), image("test"))
        try fixture.store.directories.staging.make("left")

        let again = try StoreFixture(root: fixture.root)
        try await again.provisioner.recover(known: [id("web"), id("pod", "in")])
        let containers = try Directory("\(fixture.root)/provisioner/containers")
        #expect(try containers.names() == ["pod", "web"])
        #expect(try containers.directory("pod").names() == ["containers"])
        #expect(try containers.directory("pod/containers/in").names() == ["backends", "layers"])
        #expect(try again.counts == (1, 1, 0))
        let error = await containerError { _ = try await again.store.remove("test") }
        #expect(error?.message == "image test:latest is in use by containers pod.in, web")
        #expect(try await again.store.remove("test", force: true) == 0)

        // Its name is gone, and its containers keep it over a restart.
        let third = try StoreFixture(root: fixture.root)
        try await third.provisioner.recover(known: [id("web")])
        #expect(try third.counts == (1, 0, 0))
        #expect(try await third.provisioner.destroy(id("web")))
        #expect(try third.counts == (0, 0, 0))
    }

    @Test(arguments: ["", ".", "..", "a/b", "../x", "a b", "a\u{0}b", String(repeating: "x", count: 256)])
    func badIDs(name: String) async throws {
        let fixture = try StoreFixture()
        try await fixture.importArchive(TarBuilder.small.archive)
        for bad in [id(name), id("parent", name)] {
            let error = await containerError { _ = try await fixture.provisioner.provision(bad, image("test")) }
            #expect(error?.code == "container.bad-id" && error?.kind == .invalidArgument)
            #expect(await containerError { _ = try await fixture.provisioner.destroy(bad) }?.code == "container.bad-id")
        }
        #expect(try Directory("\(fixture.root)/provisioner/containers").names() == [])
    }

    @Test func anUnknownImage() async throws {
        let fixture = try StoreFixture()
        let error = await containerError { _ = try await fixture.provisioner.provision(id("web"), image("nothing")) }
        #expect(error?.code == "image.not-found" && error?.step == "provisioning")
        #expect(error?.hint.contains("gantry image import") == true)
        #expect(try Directory("\(fixture.root)/provisioner/containers").names() == [])
    }

    @Test func tooManyLayers() throws {
        let path = "/var/lib/gantry/images/layers/sha256-\(String(repeating: "0", count: 64))/rootfs"
        func check(_ count: Int, _ path: String) -> String? {
            let layers = Array(repeating: path, count: count)
            do {
                try OverlayLimits.check(lower: layers, upper: "/u", work: "/w", image: "big:latest")
                return nil
            } catch {
                return (error as? ContainerError)?.code
            }
        }
        #expect(check(30, path) == nil)
        #expect(check(128, path) == "mount.overlay.too-many-layers")
        #expect(check(501, "/") == "mount.overlay.too-many-layers")
        #expect(check(1, String(repeating: "x", count: 4040)) == nil)
        #expect(check(1, String(repeating: ",", count: 2040)) == "mount.overlay.too-many-layers")
    }

    @Test func anUnusableFileSystemIsNamedAtTheStart() async throws {
        let fixture = try StoreFixture()
        // An overlay cannot be the writable part of another one.
        try await fixture.importArchive(TarBuilder.small.archive)
        let root = try Self.overlay(try await fixture.provisioner.provision(id("web"), image("test")))
        let error = await containerError {
            _ = try OverlayProvisioner(
                path: "/proc/self/fd/\(root.raw)/provisioner", store: fixture.store, pool: fixture.pool,
                trash: fixture.trash, housekeeping: Housekeeping())
        }
        #expect(error?.code == "backend.overlay-unusable", "\(String(describing: error))")
        #expect(error?.message.contains("overlayfs") == true && error?.hint.contains("--root") == true)
    }

    @Test func sparesAreTakenOver() async throws {
        let fixture = try StoreFixture(spares: 3)
        try await fixture.importArchive(TarBuilder.small.archive)
        try await fixture.provisioner.recover(known: [])
        let spares = try Directory("\(fixture.root)/provisioner/spares")
        let whole = try spares.names()
        #expect(whole.count == 3)
        // One that was written and not given its place, and one that was not finished.
        try spares.replaceFile(whole[0].appending("layers"), with: [1], durable: false)
        try spares.make(".half")
        let again = try StoreFixture(root: fixture.root, spares: 3)
        #expect(try spares.names() == Array(whole.dropFirst()))
        for number in 0..<5 {
            let provisioned = try await again.provisioner.provision(id("c\(number)"), image("test"))
            #expect(try Self.overlay(provisioned).names() == ["bin", "etc"])
        }
        for number in 0..<5 { #expect(try await again.provisioner.destroy(id("c\(number)"))) }
    }

    /// What a hostile container leaves: deep, locked and without permissions.
    @Test func removesWhateverTheContainerLeft() async throws {
        let fixture = try StoreFixture()
        try await fixture.importArchive(TarBuilder.small.archive)
        let paths = try Self.paths(try await fixture.provisioner.provision(id("web"), image("test")))
        let upper = try Directory(paths.upper)
        var deepest = upper
        for _ in 0..<1500 {
            try deepest.make("d", mode: 0)
            deepest = try deepest.directory("d")
        }
        try upper.makeSymbolicLink("host", to: Array("/etc".utf8))
        try upper.makeWhiteout("gone")
        try upper.makePipe("pipe")
        try upper.replaceFile("locked", with: [1], mode: 0, durable: false)
        try run("chattr", "+i", "\(paths.upper)/locked")
        try upper.setPermissions(0)
        #expect(try await fixture.provisioner.destroy(id("web")))
        #expect(try Directory("\(fixture.root)/provisioner/containers").names() == [])
        #expect(try Directory("/etc").informationIfPresent("passwd") != nil)
    }

    @Test func launchesAreQuick() async throws {
        let fixture = try StoreFixture(spares: 200)
        try await fixture.importArchive(TarBuilder.small.archive)
        try await fixture.provisioner.recover(known: [])
        let clock = ContinuousClock()
        var launches: [Duration] = []
        var ends: [Duration] = []
        for number in 0..<100 {
            let start = clock.now
            _ = try await fixture.provisioner.provision(id("c\(number)"), image("test"))
            launches.append(clock.now - start)
        }
        for number in 0..<100 {
            let start = clock.now
            #expect(try await fixture.provisioner.destroy(id("c\(number)")))
            ends.append(clock.now - start)
        }
        print("provision: median \(launches.sorted()[50]), destroy: median \(ends.sorted()[50])")
        // Generous: the machine may be busy. Without spares it takes several times as long as with them.
        #expect(launches.sorted()[50] < .milliseconds(5))
    }
}
