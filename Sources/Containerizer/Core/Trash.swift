// SPDX-License-Identifier: Apache-2.0

public import Kernel
public import Logging
import Reactor
import Synchronization
public import SystemPackage

/// Directories that are nobody's any more. Throwing one away is a rename; a thread removes what was thrown away, because
/// freeing a few dozen inodes takes longer than everything else at the end of a short container.
///
/// What a daemon that died left here is removed at the next start, and a clean stop waits until it is empty.
public final class Trash: Sendable {
    private let directory: Directory
    private let worker = BlockingPool(threads: 1, name: "trash")
    private let log: Logger
    private let prefix = String(WallTime.now.nanoseconds, radix: 36)
    private let next = Atomic<UInt64>(0)

    /// Beyond this many the thrower removes his own: the backlog must not fill the disk.
    private static let backlog = 256

    /// - Parameters:
    ///   - parent: where `trash` is made; on the file system of all that is thrown away.
    public init(in parent: Directory, log: Logger) throws(SystemError) {
        directory = try parent.ensure("trash")
        self.log = log
        for name in try directory.names() { remove(name) }
    }

    /// Takes `name` away from `parent`, at once and as a whole.
    ///
    /// - Returns: false when there was nothing of that name.
    @discardableResult
    public func discard(_ name: FilePath, of parent: Directory) throws(SystemError) -> Bool {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        let target = FilePath("\(prefix)-\(number)")
        do {
            try parent.rename(name, to: directory, as: target, replacing: false)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return false
        }
        if worker.depth < Self.backlog {
            remove(target)
        } else {
            try directory.removeTree(target)
        }
        return true
    }

    /// Returns when everything is removed. Blocks. Nothing can be thrown away afterwards.
    public func shutdown() {
        worker.shutdown()
    }

    private func remove(_ name: FilePath) {
        worker.submit { [directory, log] in
            do {
                try directory.removeTree(name)
            } catch {
                log.warning("removing what was thrown away: \(error)")
            }
        }
    }
}
