// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Glibc
internal import Services
internal import Wire

struct ImageImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read an image from this machine into the store.",
        discussion: """
            PATH is a plain root file system: a directory, or a tar archive, packed with gzip, zstd, xz or not at all. \
            The daemon reads it. (Of a docker image: docker export, not docker save.)

            Examples:
              gantry image import ./rootfs debian:12
              gantry image import app.tar app
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "What to import.")
    var path: String

    @Argument(help: ArgumentHelp("The image's name in the store.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        let request = Gantry.V1.ImportRequest(path: try absolutePath(path), reference: name)
        let last = try await connection.withClient { client in
            var progress = ImportProgress(live: Output.standardError.isTerminal)
            defer { progress.end() }
            var last: Gantry.V1.PullProgress?
            let responses = try await client.images.import(request)
            while let message = try await responses.next() {
                progress.show(message)
                last = message
            }
            return last
        }
        guard let last, let image = last.image else {
            throw Failure("the daemon ended the import of \(path) without an image", hint: "look at its log")
        }
        let reference = image.docker?.name ?? name
        try format.print(table: "\(reference) \(last.manifestDigest)\n", json: try last.json())
    }
}

/// The path as the daemon sees it, which has a working directory of its own.
func absolutePath(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    guard let directory = getcwd(nil, 0) else { throw Failure("the working directory has no path any more") }
    defer { free(directory) }
    return String(cString: directory) + "/" + path
}

/// One line on a terminal that is written over and over; nothing elsewhere.
struct ImportProgress {
    let live: Bool
    private var width = 0

    init(live: Bool) {
        self.live = live
    }

    mutating func show(_ message: Gantry.V1.PullProgress) {
        if !live { return }
        let text = ImportProgress.text(message)
        let rest = String(repeating: " ", count: max(width - text.count, 0))
        width = text.count
        try? Output.standardError.text("\r" + text + rest)
    }

    /// Clears the line, for what comes next.
    mutating func end() {
        if width == 0 { return }
        try? Output.standardError.text("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
    }

    /// `unpacking sha256:0123456789ab  12.0 MiB of 30.0 MiB`
    static func text(_ message: Gantry.V1.PullProgress) -> String {
        var text = singleLine(message.step)
        if !message.digest.isEmpty { text += " " + singleLine(shortDigest(message.digest)) }
        if message.doneBytes > 0 { text += "  " + byteText(message.doneBytes) }
        if message.totalBytes > 0 { text += " of " + byteText(message.totalBytes) }
        return text
    }
}

/// The algorithm and the first twelve digits.
func shortDigest(_ digest: String) -> String {
    guard let colon = digest.firstIndex(of: ":") else { return String(digest.prefix(12)) }
    return digest[...colon] + String(digest[digest.index(after: colon)...].prefix(12))
}
