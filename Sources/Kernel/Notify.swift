// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// An inotify instance (inotify(7)). One serves many watches: a user has 128 instances by default, but thousands of
/// watches.
///
/// Not for two readers at a time.
public struct Notify: ~Copyable, Sendable {
    /// A watch's number within its instance. Numbers are never used twice.
    public struct Watch: Sendable, Hashable {
        public let number: Int32
        public init(number: Int32) { self.number = number }
    }

    public enum Event: Sendable, Hashable {
        case modified(Watch)
        /// The file is gone, and its watch with it.
        case ended(Watch)
        /// Events were lost: every watched file may have changed.
        case overflow
    }

    private let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try systemCall("inotify_init1") { gantry_inotify_open() })
    }

    /// For waiting until it is readable.
    public var raw: Int32 { descriptor.raw }

    /// Asks to be told when the file is modified; the kernel modifies a control file when what it shows has changed.
    /// Read the file after this call: what happened before is not told.
    public borrowing func watch(_ path: String) throws(SystemError) -> Watch {
        let raw = descriptor.raw
        return Watch(
            number: try systemCall("inotify_add_watch", path) {
                inotify_add_watch(raw, path, UInt32(GANTRY_IN_MODIFY))
            })
    }

    /// Ends a watch; one that has ended already is fine.
    public borrowing func remove(_ watch: Watch) {
        inotify_rm_watch(descriptor.raw, watch.number)
    }

    /// What has happened since the last call; empty when nothing has. Does not block.
    public borrowing func events() throws(SystemError) -> [Event] {
        let raw = descriptor.raw
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count: Int
        do {
            count = try systemCall("read", "inotify") { read(raw, &buffer, buffer.count) }
        } catch  where error.errno == .resourceTemporarilyUnavailable {
            return []
        }
        return Self.parse(buffer[..<count])
    }

    /// struct inotify_event: watch, mask, cookie, length of the name (all 32 bits), name.
    static func parse(_ bytes: ArraySlice<UInt8>) -> [Event] {
        bytes.withUnsafeBytes { bytes in
            var events: [Event] = []
            var offset = 0
            while offset + 16 <= bytes.count {
                let number = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
                let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                let length = bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self)
                if mask & UInt32(GANTRY_IN_Q_OVERFLOW) != 0 {
                    events.append(.overflow)
                } else if mask & UInt32(GANTRY_IN_IGNORED) != 0 {
                    events.append(.ended(Watch(number: number)))
                } else if mask & UInt32(GANTRY_IN_MODIFY) != 0 {
                    events.append(.modified(Watch(number: number)))
                }
                offset += 16 + Int(length)
            }
            return events
        }
    }
}
