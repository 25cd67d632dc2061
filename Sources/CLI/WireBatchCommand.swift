// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import Wire

struct WireBatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Answer many decode and roundtrip requests, a line each.",
        discussion: """
            Each line on standard input is 'decode TYPE BASE64' or 'roundtrip TYPE BASE64'. The answer is one line: \
            'ok BASE64' with the JSON or the bytes, or 'rejected MESSAGE'.

            Examples:
              echo 'decode mesos.ContainerID CgN3ZWI=' | gantry wire batch
            """)

    func run() throws {
        var lines = LineSplitter()
        // The answers to one read go out in one write: as live as a pipe can be, and quick with many lines.
        try readAll(STDIN_FILENO, "standard input") { bytes in
            var answers: [UInt8] = []
            lines.add(bytes) { answers += WireBatch.answer($0) }
            try Output.standard.write(answers)
        }
        var rest: [UInt8] = []
        lines.end { rest += WireBatch.answer($0) }
        try Output.standard.write(rest)
    }
}

/// Bytes in pieces of any size, cut at newlines.
struct LineSplitter {
    private var partial: [UInt8] = []

    /// Hands out each line that ends in `bytes`, without its newline.
    mutating func add(_ bytes: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> Void) {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if partial.isEmpty {
                body(rest[..<end])
            } else {
                partial += rest[..<end]
                body(partial[...])
                partial = []
            }
            rest = rest[(end + 1)...]
        }
        partial += rest
    }

    /// Hands out a last line that no newline ends.
    mutating func end(_ body: (ArraySlice<UInt8>) -> Void) {
        if !partial.isEmpty { body(partial[...]) }
        partial = []
    }
}

enum WireBatch {
    /// The answer to one line, with its newline.
    static func answer(_ line: ArraySlice<UInt8>) -> [UInt8] {
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        let words = parts.prefix(2).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 2 else { return rejected("expected 'decode TYPE BASE64' or 'roundtrip TYPE BASE64'") }
        let (verb, name) = (words[0], words[1])
        guard verb == "decode" || verb == "roundtrip" else { return rejected("unknown request '\(verb)'") }
        guard let type = MessageRegistry.type(named: name) else { return rejected("unknown type '\(name)'") }
        guard let bytes = Base64.decode(parts.count == 3 ? parts[2] : []) else { return rejected("malformed base64") }
        do {
            let message = try type.init(decoding: bytes)
            return ok(verb == "decode" ? Array(try message.json(.compact).utf8) : try message.encoded())
        } catch {
            return rejected(refusal(error))
        }
    }

    private static func ok(_ bytes: [UInt8]) -> [UInt8] {
        Array("ok ".utf8) + Base64.encode(bytes) + [UInt8(ascii: "\n")]
    }

    private static func rejected(_ message: String) -> [UInt8] {
        Array("rejected \(singleLine(message))\n".utf8)
    }
}
