// SPDX-License-Identifier: Apache-2.0
internal import Services
internal import Wire

/// Writes what a container writes: its standard output to ours, its standard error to ours.
struct OutputCopy {
    let containers: ContainerizerClient
    let id: Mesos.ContainerID

    /// Returns when the container has closed both. It begins with what was written before.
    ///
    /// When a reader of ours goes away the rest of that stream is dropped and the other goes on, unless `readerGone`
    /// throws. It is called once for each stream.
    func run(readerGone: () async throws -> Void) async throws {
        let exchange = try await containers.attach()
        let start = Gantry.V1.AttachStart(containerID: id, stdout: true, stderr: true, replay: true)
        try await exchange.send(Gantry.V1.AttachRequest(kind: .start(start)))
        exchange.closeSend()
        var targets: [Mesos.Agent.ProcessIO.Data.TypeEnum: Output] = [
            .stdout: .standard, .stderr: .standardError,
        ]
        while let message = try await exchange.responses.next() {
            guard message.type == .data, let data = message.data, let type = data.type, let bytes = data.data,
                let target = targets[type]
            else { continue }
            do {
                try target.write(bytes)
            } catch is ReaderGone {
                targets[type] = nil
                try await readerGone()
            }
        }
    }
}
