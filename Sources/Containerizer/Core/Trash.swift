// SPDX-License-Identifier: Apache-2.0

public import Kernel
public import Logging
import Synchronization
public import SystemPackage

/// Directories that are nobody's any more. Throwing one away is a rename; what was thrown away is removed in a quiet
/// moment, because freeing a few dozen inodes takes longer than everything else at the end of a short container.
///
/// What a daemon that died left here is removed by the next one, and a clean stop waits until it is empty.
public final class Trash: Sendable {
    private let directory: Directory
    private let housekeeping: Housekeeping
    private let log: Logger
    private let prefix = String(WallTime.now.nanoseconds, radix: 36)
    private let next = Atomic<UInt64>(0)
    private let waiting: Mutex<[FilePath]>
    /// Held while something is removed.
    private let removal = Mutex(())

    /// Beyond this many the thrower removes his own: the backlog must not fill the disk.
    private static let backlog = 256

    /// - Parameter parent: where `trash` is made; on the file system of all that is thrown away.
    public init(in parent: Directory, housekeeping: Housekeeping, log: Logger) throws(SystemError) {
        directory = try parent.ensure("trash")
        self.housekeeping = housekeeping
        self.log = log
        waiting = Mutex(try directory.names())
        housekeeping.add { [weak self] in self?.empty() }
        housekeeping.ask()
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
        let isFull = waiting.withLock { waiting in
            if waiting.count >= Self.backlog { return true }
            waiting.append(target)
            return false
        }
        if isFull { try directory.removeTree(target) } else { housekeeping.ask() }
        return true
    }

    /// Removes everything that was thrown away. Blocks.
    public func empty() {
        removal.withLock { _ in
            while let name = waiting.withLock({ $0.popLast() }) {
                do {
                    try directory.removeTree(name)
                } catch {
                    log.warning("removing what was thrown away: \(error)")
                }
            }
        }
    }
}
