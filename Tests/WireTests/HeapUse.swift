// SPDX-License-Identifier: Apache-2.0
import CProto
import Foundation

@testable import Wire

/// How much memory a decode takes. Only meaningful where nothing else runs: in the process of an exit test.
struct HeapUse {
    /// Bytes that the value holds; if the input was refused, bytes of the C structs that it takes to say why.
    var total: Int
    var refusal: WireError.Code?

    init<M: Message>(_ type: M.Type, _ bytes: [UInt8], memoryLimit: Int = defaultMemoryLimit) {
        // Once before, so that what is made only once is not counted.
        _ = try? M(decoding: bytes, memoryLimit: memoryLimit)
        let before = HeapUse.allocated()
        do {
            let message = try M(decoding: bytes, memoryLimit: memoryLimit)
            total = withExtendedLifetime(message) { HeapUse.allocated() - before }
        } catch {
            refusal = error.code
            total = HeapUse.structs(M.schema.table, bytes, min(memoryLimit, memoryBound(bytes.count)))
        }
    }

    private static func structs(_ table: UnsafePointer<cp_message>, _ bytes: [UInt8], _ budget: Int) -> Int {
        var arena = cp_arena()
        cp_arena_init(&arena, nil, 0, budget)
        defer { cp_arena_free(&arena) }
        var error = cp_error()
        _ = bytes.withUnsafeBufferPointer { cp_decode(table, $0.baseAddress, $0.count, &arena, 0, &error) }
        return budget - arena.budget
    }

    /// malloc_info(3), which Swift's Glibc module lacks.
    private static let mallocInfo: (@convention(c) (CInt, UnsafeMutablePointer<FILE>?) -> CInt)? = {
        guard let symbol = dlsym(nil, "malloc_info") else { return nil }
        return unsafeBitCast(symbol, to: (@convention(c) (CInt, UnsafeMutablePointer<FILE>?) -> CInt).self)
    }()

    /// Bytes of all blocks in use, in all of malloc's arenas.
    private static func allocated() -> Int {
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        guard let mallocInfo, let file = open_memstream(&text, &size) else { return 0 }
        defer { free(text) }
        _ = mallocInfo(0, file)
        fclose(file)
        guard let text else { return 0 }
        // The totals stand behind the last arena.
        let report = String(cString: text)
        let totals = report[(report.range(of: "</heap>", options: .backwards)?.upperBound ?? report.startIndex)...]
        func number(_ element: String) -> Int {
            guard let start = totals.range(of: element)?.upperBound,
                let size = totals[start...].range(of: "size=\"")?.upperBound
            else { return 0 }
            return Int(totals[size...].prefix { $0 != "\"" }) ?? 0
        }
        return number("<system type=\"current\"") - number("<total type=\"fast\"") - number("<total type=\"rest\"")
            + number("<total type=\"mmap\"")
    }
}

/// The largest resident size since `reset`, in bytes; proc_pid_status(5).
enum PeakMemory {
    static func reset() {
        try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
    }

    static var now: Int { kilobytes("VmRSS:") * 1024 }
    static var peak: Int { kilobytes("VmHWM:") * 1024 }

    private static func kilobytes(_ name: String) -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) })
        else { return 0 }
        return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
    }
}
