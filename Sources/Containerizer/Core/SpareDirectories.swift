// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import Kernel
internal import Synchronization
public import SystemPackage

/// Directories that wait for their container, with everything in them that every container needs.
///
/// A new inode costs some file systems ten times as much as a rename, and more while many were freed shortly before. So
/// they are made beforehand, by a thread: a launch renames what is there.
public final class SpareDirectories: Sendable {
    /// Where they wait, by random names.
    public let directory: Directory
    private let wanted: Int
    private let fill: @Sendable (Directory) throws(SystemError) -> Void
    private let housekeeping: Housekeeping
    private let waiting = Mutex<[FilePath]>([])

    /// Takes over the spares of an earlier daemon, and removes what is not whole.
    ///
    /// - Parameters:
    ///   - directory: on the file system of those who take spares; nobody else's.
    ///   - isBlank: of an earlier daemon's spare: nobody has begun to use it.
    ///   - fill: makes the content of a new spare.
    public init(
        directory: Directory, wanted: Int, housekeeping: Housekeeping,
        isBlank: (_ spare: Directory) -> Bool = { _ in true },
        fill: @escaping @Sendable (_ spare: Directory) throws(SystemError) -> Void
    ) throws(SystemError) {
        self.directory = directory
        self.wanted = wanted
        self.housekeeping = housekeeping
        self.fill = fill
        for name in try directory.names() {
            // A name with a dot first is not finished.
            if !name.description.hasPrefix("."), let spare = try? directory.directory(name), isBlank(spare) {
                waiting.withLock { $0.append(name) }
            } else {
                try directory.removeTree(name)
            }
        }
        housekeeping.add { [weak self] in try? self?.refill() }
    }

    /// A spare, made now if there is none. It is the caller's to rename or to remove.
    public func take() throws(SystemError) -> FilePath {
        let (spare, isLow) = waiting.withLock { ($0.popLast(), $0.count < wanted / 2) }
        if isLow { housekeeping.ask() }
        if let spare { return spare }
        return try make()
    }

    /// Makes spares until there are enough. Blocks.
    public func refill() throws(SystemError) {
        while waiting.withLock({ $0.count }) < wanted {
            let spare = try make()
            waiting.withLock { $0.append(spare) }
        }
    }

    private func make() throws(SystemError) -> FilePath {
        let name = FilePath(String(UInt64.random(in: .min ... .max), radix: 36))
        let unfinished = FilePath(".\(name)")
        try directory.make(unfinished)
        do {
            try fill(try directory.directory(unfinished))
            try directory.rename(unfinished, to: directory, as: name)
            return name
        } catch {
            _ = try? directory.removeTree(unfinished)
            throw error
        }
    }
}
