// SPDX-License-Identifier: Apache-2.0

internal import Core
internal import Wire

/// Checkpoint files: the message's length as a 32-bit number in the machine's byte order, then the message.
enum FramedRecord {
    static func encode(_ message: some Message) throws -> [UInt8] {
        let bytes = try message.encoded()
        guard let length = UInt32(exactly: bytes.count) else {
            throw ContainerError(.internal, code: "checkpoint.too-large", "a checkpoint of \(bytes.count) bytes")
        }
        return withUnsafeBytes(of: length) { Array($0) } + bytes
    }

    /// `nil` for an empty file: its writer did not get further, and nothing was made yet.
    static func decode<Record: Message>(_ bytes: [UInt8], as type: Record.Type, path: String) throws -> Record? {
        if bytes.isEmpty { return nil }
        guard bytes.count >= 4 else { throw broken(path, "it is cut off") }
        let length = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        guard bytes.count - 4 >= Int(length) else { throw broken(path, "it is cut off") }
        do {
            return try Record(decoding: Array(bytes[4..<4 + Int(length)]))
        } catch {
            throw broken(path, "\(error)")
        }
    }

    private static func broken(_ path: String, _ reason: String) -> ContainerError {
        ContainerError(
            .internal, code: "checkpoint.broken", "\(path) cannot be read: \(reason)", subject: path,
            hint: "restore the file from a backup, or remove it together with what it describes")
    }
}
