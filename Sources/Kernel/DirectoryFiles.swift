// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import SystemPackage

extension Directory {
    /// Replaces the file `name` in one step: a temporary file beside it, synced if `durable`, then renamed, and the
    /// directory synced. A reader sees the old content or the new one, after a crash too; without `durable` that does
    /// not include a crash of the machine.
    public func replaceFile(
        _ name: FilePath, with content: [UInt8], mode: UInt32 = 0o600, durable: Bool = true
    ) throws(SystemError) {
        if name.components.count > 1, let last = name.lastComponent {
            let parent = try directory(name.removingLastComponent())
            return try parent.replaceFile(
                FilePath(root: nil, CollectionOfOne(last)), with: content, mode: mode, durable: durable)
        }
        let temporary = FilePath(".\(name).new")
        do {
            try createFile(temporary, content, mode: mode, durable: durable)
            try rename(temporary, to: self, as: name)
        } catch {
            try? unlink(temporary)
            throw error
        }
        if durable { try sync() }
    }

    private func createFile(
        _ name: FilePath, _ content: [UInt8], mode: UInt32, durable: Bool
    ) throws(SystemError) {
        let file = try open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
        try file.write(content, path: subject(name))
        let number = file.raw
        if durable { try systemCall("fsync", subject(name)) { fsync(number) } }
    }

    /// The whole file; `EFBIG` when it is larger than `limit`, `nil` when there is none.
    public func readFile(_ name: FilePath, limit: Int) throws(SystemError) -> [UInt8]? {
        let file: Descriptor
        do {
            file = try open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
        let information = try FileInformation(of: file, path: subject(name))
        guard information.size <= UInt64(limit) else { throw SystemError("read", subject(name), .fileTooLarge) }
        var content = [UInt8](repeating: 0, count: Int(information.size))
        let number = file.raw
        var filled = 0
        while filled < content.count {
            let count = try systemCall("read", subject(name)) {
                content.withUnsafeMutableBytes { buffer in
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    return Glibc.read(number, rest.baseAddress, rest.count)
                }
            }
            if count == 0 { break }
            filled += count
        }
        content.removeLast(content.count - filled)
        return content
    }
}

extension Descriptor {
    /// Writes all bytes, at `offset` if one is given.
    public borrowing func write(
        _ content: UnsafeRawBufferPointer, at offset: Int? = nil, path: @autoclosure () -> String
    ) throws(SystemError) {
        // A closure cannot capture a borrowed value.
        let number = raw
        var done = 0
        while done < content.count {
            let rest = UnsafeRawBufferPointer(rebasing: content[done...])
            done += try systemCall("write", path()) { () -> Int in
                if let offset { return pwrite(number, rest.baseAddress, rest.count, offset + done) }
                return Glibc.write(number, rest.baseAddress, rest.count)
            }
        }
    }

    public borrowing func write(
        _ content: [UInt8], at offset: Int? = nil, path: @autoclosure () -> String
    ) throws(SystemError) {
        let bytes = content.span
        try bytes.withUnsafeBytes { (bytes) throws(SystemError) in try write(bytes, at: offset, path: path()) }
    }
}
