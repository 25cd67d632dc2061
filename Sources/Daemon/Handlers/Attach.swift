// SPDX-License-Identifier: Apache-2.0

import Core
import IO
import RPC
import Wire

extension ContainerizerHandlers {
    /// Sends the container's output until it has ended. A container whose command was never executed ends the stream
    /// with the reason.
    func attach(
        _ requests: RequestStream<Gantry.V1.AttachRequest>, responses: ResponseStream<Mesos.Agent.ProcessIO>,
        context: CallContext
    ) async throws {
        guard case .start(let start) = try await requests.next()?.kind else {
            throw ContainerError(
                .invalidArgument, code: "attach.no-start", "the first message of an attach is not `start`",
                step: "attach", hint: "send AttachStart first")
        }
        guard !start.stdin else {
            throw ContainerError(
                .failedPrecondition, code: "attach.no-stdin", "this container's standard input is /dev/null",
                step: "attach", subject: start.containerID?.text ?? "", hint: "attach without stdin")
        }
        let id = try start.containerID.checked()
        var streams: Set<OutputFollower.Stream> = []
        if start.stdout { streams.insert(.stdout) }
        if start.stderr { streams.insert(.stderr) }

        let output = try await containerizer.output(id)
        try await OutputFollower(output, reactor: reactor).follow(streams, replay: start.replay) {
            try await responses.send($0)
        }
        if case .success(let failure?) = output.started.settled { throw failure }
    }
}
