// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Glibc
internal import Kernel
internal import Synchronization
internal import SystemPackage

/// Container directories that wait for their container.
///
/// A new directory costs ext4 ten times as much as a rename, and a container needs nine of them. So some are made
/// beforehand, with an open `layers` file: a launch then writes the record and renames the whole, in two system calls.
final class SpareDirectories: Sendable {
    struct Spare: Sendable {
        var name: FilePath
        /// The `layers` file; whoever has the spare closes it.
        var layers: Int32
    }

    let directory: Directory
    private let wanted: Int
    private let waiting = Mutex<[Spare]>([])

    init(directory: Directory, wanted: Int) {
        self.directory = directory
        self.wanted = wanted
    }

    deinit {
        waiting.withLock { for spare in $0 { close(spare.layers) } }
    }

    /// True when it is time to make more.
    var isLow: Bool { waiting.withLock { $0.count } < wanted / 2 }

    /// A spare, made now if there is none.
    func take() throws(SystemError) -> Spare {
        if let spare = waiting.withLock({ $0.popLast() }) { return spare }
        return try make()
    }

    /// Makes spares until there are enough. Blocks.
    func refill() throws(SystemError) {
        while waiting.withLock({ $0.count }) < wanted {
            let spare = try make()
            waiting.withLock { $0.append(spare) }
        }
    }

    /// Takes over the spares of an earlier daemon and removes what is not whole. Once, before any other
    /// call.
    func adopt() throws(SystemError) {
        for name in try directory.names() {
            if let layers = try? directory.open(name.appending("layers"), O_WRONLY | O_NOFOLLOW),
                let information = try? FileInformation(of: layers, path: directory.subject(name)),
                information.size == 0, !name.description.hasPrefix(".")
            {
                let spare = Spare(name: name, layers: layers.release())
                waiting.withLock { $0.append(spare) }
            } else {
                try directory.removeTree(name)
            }
        }
    }

    /// Under a name with a dot first, so that only whole ones are taken over.
    private func make() throws(SystemError) -> Spare {
        let name = FilePath(String(UInt64.random(in: .min ... .max), radix: 36))
        let unfinished = FilePath(".\(name)")
        try directory.make(unfinished)
        do {
            let spare = try directory.directory(unfinished)
            let layers = try spare.open("layers", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try spare.make("backends")
            try spare.make("backends/overlay")
            try spare.make(ContainerDirectories.rootfses)
            try spare.make(ContainerDirectories.scratch)
            try spare.make(ContainerDirectories.scratch.appending("0"))
            try Self.makeRoot(
                0, spare.directory(ContainerDirectories.rootfses), spare.directory(ContainerDirectories.scratch))
            try directory.rename(unfinished, to: directory, as: name)
            return Spare(name: name, layers: layers.release())
        } catch {
            _ = try? directory.removeTree(unfinished)
            throw error
        }
    }

    /// The mount point, and upper and work directory in `scratch/NUMBER`. The upper directory's mode is that of the
    /// container's `/`.
    static func makeRoot(_ number: Int, _ rootfses: Directory, _ scratch: Directory) throws(SystemError) {
        try rootfses.make(FilePath("\(number)"), mode: 0o755)
        let own = try scratch.directory(FilePath("\(number)"))
        try own.make("workdir")
        try own.make("upperdir")
        try own.setPermissions("upperdir", 0o755)
    }
}

/// A thread that makes spares when it is woken, so that no launch waits for them. Ends with this value.
final class SpareFiller: Sendable {
    private let signal: Int32

    init(_ spares: SpareDirectories) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe") { pipe(&ends) }
        let (wakeUps, signal) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A pipe that is full of wake-ups needs no more of them.
        _ = fcntl(signal, F_SETFL, O_NONBLOCK)
        self.signal = signal
        do {
            _ = try Thread("spares") {
                var bytes = [UInt8](repeating: 0, count: 64)
                // A failure shows at the next launch, which then makes its own.
                while read(wakeUps, &bytes, bytes.count) > 0 { try? spares.refill() }
                close(wakeUps)
            }
        } catch {
            close(wakeUps)
            close(signal)
            throw error
        }
    }

    deinit {
        close(signal)
    }

    func wake() {
        var byte: UInt8 = 1
        _ = write(signal, &byte, 1)
    }
}
