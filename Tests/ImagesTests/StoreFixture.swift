// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel
import Logging
import Reactor
import SystemPackage
import TestSupport
import Wire

@testable import Images

/// True where images can be imported with their owners and overlays be made.
let isRoot = geteuid() == 0

/// A store and a provisioner in a directory of their own.
final class StoreFixture: Sendable {
    let temporary: TemporaryDirectory
    let root: String
    let pool = BlockingPool(threads: 2)
    let store: ImageStore
    let trash: Trash
    let provisioner: OverlayProvisioner

    /// `root`: somewhere else than in the temporary directory.
    init(
        root: String? = nil, limits: ImportLimits = ImportLimits(reservedBytes: 0), spares: Int = 2,
        checkpoint: @escaping @Sendable (String) throws -> Void = { _ in }
    ) throws {
        temporary = try TemporaryDirectory()
        self.root = root ?? temporary.path
        store = try ImageStore(path: "\(self.root)/images", pool: pool, limits: limits, checkpoint: checkpoint)
        trash = try Trash(in: Directory(self.root), housekeeping: Housekeeping(), log: Logger(label: "test"))
        provisioner = try OverlayProvisioner(
            path: "\(self.root)/provisioner", store: store, pool: pool, trash: trash,
            // One of its own: some tests open a second provisioner, and nobody makes spares meanwhile.
            housekeeping: Housekeeping(), spares: spares)
    }

    deinit {
        store.shutdown()
        trash.empty()
        pool.shutdown()
    }

    /// Writes an archive to a file and imports it.
    @discardableResult
    func importArchive(_ bytes: [UInt8], as reference: String = "test") async throws -> Gantry.V1.ImageRecord {
        let path = try temporary.write("archive", bytes)
        return try await store.importImage(path: path, reference: reference)
    }

    /// The root directory of the only layer of an image.
    func rootfs(of record: Gantry.V1.ImageRecord) throws -> Directory {
        try Directory(store.directories.rootfsPath(of: Digest(text: record.layers[0])!))
    }

    /// How many entries the parts of the store have.
    var counts: (layers: Int, manifests: Int, staging: Int) {
        get throws {
            let directories = store.directories
            return (
                try directories.layers.names().count, try directories.manifests.names().count,
                try directories.staging.names().count
            )
        }
    }
}

/// Runs `body`, which must throw a `ContainerError`, and returns that.
func containerError(_ body: () async throws -> Void) async -> ContainerError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ContainerError
    }
}

func id(_ names: String...) -> Mesos.ContainerID {
    var result = Mesos.ContainerID(value: names[0])
    for name in names.dropFirst() { result = Mesos.ContainerID(value: name, parent: result) }
    return result
}

func image(_ name: String) -> Mesos.Image {
    Mesos.Image(type: .docker, docker: .init(name: name))
}

/// Holds a thread until it is opened.
final class Gate: Sendable {
    private let ends: (read: Int32, write: Int32)

    init() throws {
        var numbers: [Int32] = [0, 0]
        try systemCall("pipe") { pipe(&numbers) }
        ends = (numbers[0], numbers[1])
    }

    func wait() {
        var byte: UInt8 = 0
        _ = read(ends.read, &byte, 1)
    }

    func open() {
        var byte: UInt8 = 0
        _ = write(ends.write, &byte, 1)
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }
}
