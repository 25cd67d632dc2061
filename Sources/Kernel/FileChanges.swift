// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// Tells that one of a few files has changed (inotify(7)), not which: whoever asks reads them all anyway. One reader at
/// a time.
public struct FileChanges: ~Copyable, Sendable {
    private let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try systemCall("inotify_init1") { gantry_inotify_open() })
    }

    /// For waiting until it is readable.
    public var raw: Int32 { descriptor.raw }

    /// Watches an open file, whatever its name comes to mean. Read it after this call: what happened before is not told.
    public borrowing func watch(_ file: Int32) throws(SystemError) {
        let raw = descriptor.raw
        let path = "/proc/self/fd/\(file)"
        try systemCall("inotify_add_watch", path) { gantry_inotify_watch_modified(raw, path) }
    }

    /// Forgets the changes so far, so that it is readable at the next one. Does not block.
    public borrowing func drain() throws(SystemError) {
        let raw = descriptor.raw
        var buffer = [UInt8](repeating: 0, count: 4096)
        var count = buffer.count
        while count == buffer.count {
            do {
                count = try systemCall("read", "inotify") { read(raw, &buffer, buffer.count) }
            } catch  where error.errno == .resourceTemporarilyUnavailable {
                return
            }
        }
    }
}
