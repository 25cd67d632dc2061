// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
public import SystemPackage

/// Reads a directory batch by batch (getdents64(2)), so that its size does not matter.
final class DirectoryReader {
    /// One entry. `name` is valid until the next call of `next`.
    struct Entry {
        var name: UnsafePointer<CChar>
        /// `DT_DIR` and so on; `DT_UNKNOWN` where the file system does not say.
        var type: UInt8
    }

    let descriptor: Descriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 8)
    private var filled = 0
    private var position = 0

    init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    deinit {
        buffer.deallocate()
    }

    /// The next entry but `.` and `..`; `nil` at the end.
    func next() throws(SystemError) -> Entry? {
        // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
        while true {
            if position >= filled {
                let (number, buffer) = (descriptor.raw, self.buffer)
                filled = try systemCall("getdents64") { gantry_getdents(number, buffer.baseAddress, buffer.count) }
                position = 0
                if filled == 0 { return nil }
            }
            let record = UnsafeRawBufferPointer(rebasing: buffer[position..<filled])
            guard let base = record.baseAddress, record.count > 19 else { return nil }
            position += max(Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self)), 20)
            let name = (base + 19).assumingMemoryBound(to: CChar.self)
            if strcmp(name, ".") != 0 && strcmp(name, "..") != 0 { return Entry(name: name, type: record[18]) }
        }
    }

    /// Starts again from the first entry.
    func rewind() throws(SystemError) {
        let number = descriptor.raw
        (filled, position) = (0, 0)
        try systemCall("lseek") { lseek(number, 0, SEEK_SET) }
    }
}

extension Directory {
    /// The names in the directory, sorted by their bytes.
    public func names() throws(SystemError) -> [FilePath] {
        let reader = DirectoryReader(owning: try open(".", O_RDONLY | O_DIRECTORY))
        var names: [FilePath] = []
        while let entry = try reader.next() { names.append(FilePath(platformString: entry.name)) }
        return names.sorted { first, second in
            first.withPlatformString { first in second.withPlatformString { strcmp(first, $0) < 0 } }
        }
    }
}
