// SPDX-License-Identifier: Apache-2.0

import CArchive
import Glibc

/// Writes tar archives by hand, those too that no tool would write.
struct TarBuilder {
    private(set) var bytes: [UInt8] = []

    /// One entry in POSIX format. `size` claims another size than that of `content`.
    mutating func add(
        _ name: String, type: Character = "0", _ content: [UInt8] = [], mode: Int = 0o644, user: Int = 0,
        group: Int = 0,
        link: String = "", modified: Int = 1_000_000_000, size: Int? = nil, device: (Int, Int) = (0, 0),
        pax: [(String, [UInt8])] = []
    ) {
        addPax(pax)
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int, limit: Int) {
            for (index, byte) in text.prefix(limit).enumerated() { header[offset + index] = byte }
        }
        func put(_ number: Int, at offset: Int, digits: Int) {
            let text = String(number, radix: 8)
            put(
                Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8), at: offset,
                limit: digits)
        }
        put(Array(name.utf8), at: 0, limit: 100)
        put(mode, at: 100, digits: 7)
        put(user, at: 108, digits: 7)
        put(group, at: 116, digits: 7)
        put(size ?? content.count, at: 124, digits: 11)
        put(modified, at: 136, digits: 11)
        put(Array(repeating: 32, count: 8), at: 148, limit: 8)
        header[156] = type.asciiValue ?? 48
        put(Array(link.utf8), at: 157, limit: 100)
        put(Array("ustar\u{0}00".utf8), at: 257, limit: 8)
        put(device.0, at: 329, digits: 7)
        put(device.1, at: 337, digits: 7)
        finish(&header, content)
    }

    mutating func directory(_ name: String, mode: Int = 0o755, user: Int = 0, group: Int = 0) {
        add(name, type: "5", mode: mode, user: user, group: group)
    }

    /// A sparse file of GNU's old format: `realSize` bytes, all of them hole.
    mutating func sparse(_ name: String, realSize: Int) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: 11 - text.count) + text
        }
        put(name, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(0), at: 124)
        put(octal(0), at: 136)
        put("        ", at: 148)
        put("S", at: 156)
        put("ustar  ", at: 257)
        put(octal(realSize), at: 386)
        put(octal(0), at: 398)
        put(octal(realSize), at: 483)
        finish(&header, [])
    }

    private mutating func addPax(_ records: [(String, [UInt8])]) {
        guard !records.isEmpty else { return }
        var content: [UInt8] = []
        for (key, value) in records {
            let rest = 1 + key.utf8.count + 1 + value.count + 1
            var length = rest + 1
            while length != rest + String(length).count { length = rest + String(length).count }
            content += Array("\(length) \(key)=".utf8) + value + [10]
        }
        add("pax", type: "x", content)
    }

    private mutating func finish(_ header: inout [UInt8], _ content: [UInt8]) {
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} "
        for (index, byte) in text.utf8.enumerated() { header[148 + index] = byte }
        bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// The archive with its end.
    var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    /// A small root file system.
    static var small: TarBuilder {
        var tar = TarBuilder()
        tar.directory("./")
        tar.directory("bin")
        tar.add("bin/sh", Array("#!".utf8), mode: 0o755)
        tar.add("bin/bash", type: "2", mode: 0o777, link: "sh")
        tar.directory("etc")
        tar.add("etc/passwd", Array("root:x:0:0\n".utf8))
        return tar
    }
}

/// Packs bytes with libarchive.
func compressed(_ bytes: [UInt8], _ filter: (OpaquePointer?) -> Int32) -> [UInt8] {
    let archive = archive_write_new()
    defer { archive_write_free(archive) }
    var result = [UInt8](repeating: 0, count: bytes.count + 65536)
    var used = 0
    let capacity = result.count
    result.withUnsafeMutableBytes { buffer in
        archive_write_set_format_raw(archive)
        _ = filter(archive)
        archive_write_set_bytes_per_block(archive, 0)
        archive_write_open_memory(archive, buffer.baseAddress, capacity, &used)
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_entry_set_filetype(entry, UInt32(0o100000))
        archive_write_header(archive, entry)
        _ = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        archive_write_close(archive)
    }
    return Array(result.prefix(used))
}
