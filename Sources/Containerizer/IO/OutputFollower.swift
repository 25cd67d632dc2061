// SPDX-License-Identifier: Apache-2.0

public import Core
import Glibc
import Kernel
public import Reactor
import SystemPackage
public import Wire

/// Reads a container's output files as they grow, until the container has ended and all of it is read. Nothing stands
/// between the container and its files, so a reader can neither slow the container down nor lose output, and any number
/// may read.
public struct OutputFollower: Sendable {
    private let output: ContainerOutput
    private let reactor: Reactor

    public init(_ output: ContainerOutput, reactor: Reactor) {
        self.output = output
        self.reactor = reactor
    }

    public enum Stream: Sendable, Hashable, CaseIterable {
        case stdout, stderr

        var fileName: String { self == .stdout ? "stdout" : "stderr" }
    }

    /// Passes on what the streams hold and what is added, until the container has ended.
    ///
    /// - Parameters:
    ///   - replay: from the beginning of the files; otherwise from their present ends.
    ///   - sink: gets one message at a time and may take as long as it likes.
    /// - Throws: what `sink` throws; `attach.output-…` when a file cannot be read.
    public func follow(
        _ streams: Set<Stream>, replay: Bool, _ sink: (Mesos.Agent.ProcessIO) async throws -> Void
    ) async throws {
        let changes = try FileChanges()
        var tails: [Tail] = []
        for stream in Stream.allCases where streams.contains(stream) {
            let tail = try Tail(stream, directory: output.sandbox, replay: replay)
            try changes.watch(tail.raw)
            tails.append(tail)
        }
        let outcome = output.outcome
        while true {
            // Looked at before reading: what was written before the end is then read after it.
            let ended = outcome.settled != nil
            var moved = false
            for tail in tails {
                while let message = try tail.next() {
                    moved = true
                    try await sink(message)
                }
            }
            if ended { return }
            if !moved { try await Self.firstOf(grown: changes.raw, ended: outcome, reactor) }
            try changes.drain()
        }
    }

    /// Returns when a file has grown, or the container has ended.
    private static func firstOf(
        grown: Int32, ended: Promise<Mesos.Slave.ContainerTermination>, _ reactor: Reactor
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reactor.readable(grown) }
            group.addTask {
                do {
                    _ = try await ended.value()
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    // A failed destruction ends the output as well.
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// One file and how far it has been read.
private final class Tail {
    let stream: OutputFollower.Stream
    let path: String
    private let file: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    var raw: Int32 { file.raw }

    /// The sandbox belongs to the container's user, who may have put a link or a pipe in the file's place: neither is
    /// followed nor waited for.
    init(_ stream: OutputFollower.Stream, directory: Directory, replay: Bool) throws(ContainerError) {
        self.stream = stream
        let path = directory.subject(FilePath(stream.fileName))
        self.path = path
        do {
            file = try directory.open(FilePath(stream.fileName), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let raw = file.raw
            guard try FileInformation(of: file, path: path).kind == .regular else {
                throw SystemError("open", path, .invalidArgument)
            }
            if !replay { try systemCall("lseek", path) { lseek(raw, 0, SEEK_END) } }
        } catch {
            throw ContainerError(error as? SystemError ?? SystemError("open", path, .ioError), step: "attach")
        }
    }

    /// The next piece, nil at the present end.
    func next() throws(SystemError) -> Mesos.Agent.ProcessIO? {
        let raw = file.raw
        let count = try systemCall("read", path) {
            buffer.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
        }
        guard count > 0 else { return nil }
        let data = Mesos.Agent.ProcessIO.Data(
            type: stream == .stdout ? .stdout : .stderr, data: Array(buffer[..<count]))
        return Mesos.Agent.ProcessIO(type: .data, data: data)
    }
}
