// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The names are those of peers/peer.h, which says what a contestant does.
public enum Operation: String {
    case decode
    case decodeRead = "decode-read"
    case encode
    case roundTrip = "round-trip"
}

/// Runs operations as they are asked for; `run` gives the sum of what they gave.
public func serve(_ run: (Operation, String, [UInt8], Int) throws -> UInt64) throws {
    while let line = readLine() {
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 3, let operation = Operation(rawValue: words[0]), let count = Int(words[2]) else {
            print("usage: OPERATION MESSAGE COUNT")
            return
        }
        let bytes = contents(of: words[1])
        let before = processorTime()
        let sum = try run(operation, words[1], bytes, count)
        print(processorTime() - before, sum)
        fflush(nil)
    }
}

private func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    return [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
        count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
}

private func processorTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
