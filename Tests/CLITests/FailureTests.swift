// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc
import RPC
import SystemPackage
import Testing
import Wire

@testable import CLI

@Suite struct FailureTests {
    @Test func threeLines() {
        let failure = Failure("cannot start web", step: "provisioning", hint: "squash the image")
        #expect(failure.lines == "error: cannot start web\n  step:  provisioning\n  hint:  squash the image\n")
        #expect(failure.exitCode == 125)
    }

    @Test func linesWithoutContentAreLeftOut() {
        #expect(Failure("no").lines == "error: no\n")
        #expect(Failure("no", hint: "yes").lines == "error: no\n  hint:  yes\n")
    }

    @Test func textOfOthersStaysOnItsLine() {
        let failure = Failure("a\nb\u{1b}[2J", hint: "\u{202e}c")
        #expect(failure.lines == "error: a\\nb\\u{1b}[2J\n  hint:  \\u{202e}c\n")
    }

    @Test func theDaemonsErrorKeepsItsParts() throws {
        let info = Gantry.V1.ErrorInfo(
            code: "mount.overlay.too-many-layers", step: "provisioning", subject: "/run", hint: "squash it")
        let detail = StatusDetail(typeURL: "type.googleapis.com/gantry.v1.ErrorInfo", value: try info.encoded())
        let error = ClientError(RPCError(.internal, "cannot start web", details: [detail]))
        #expect(error.info == info)
        #expect(error.message == "cannot start web")
        let failure = Failure(describing: error)
        #expect(failure == Failure("cannot start web", step: "provisioning", hint: "squash it", exitCode: 125))
    }

    @Test func otherDetailsAreNotOurs() {
        let details = [
            StatusDetail(typeURL: "type.googleapis.com/google.rpc.Help", value: [8, 1]),
            StatusDetail(typeURL: "type.googleapis.com/gantry.v1.ErrorInfo", value: [0xff]),
        ]
        #expect(ClientError(RPCError(.internal, "no", details: details)).info == nil)
    }

    @Test(
        arguments: [
            (ENOENT, 69), (ECONNREFUSED, 69), (ETIMEDOUT, 69), (EACCES, 77), (EPERM, 77),
        ] as [(Int32, Int32)])
    func connectErrors(code: Int32, status: Int32) {
        let failure = Failure(describing: ConnectError(path: "/x/y", errno: Errno(rawValue: code)))
        #expect(failure.exitCode == status)
        #expect(failure.message.hasPrefix("cannot connect to unix:///x/y: E"))
        #expect(!failure.hint.isEmpty)
    }

    @Test(
        arguments: [
            (StatusCode.unavailable, 75), (.permissionDenied, 77), (.notFound, 125), (.internal, 125),
            (.invalidArgument, 125), (.deadlineExceeded, 125),
        ] as [(StatusCode, Int32)])
    func statuses(code: StatusCode, status: Int32) {
        #expect(Failure(describing: RPCError(code, "no")).exitCode == status)
    }

    @Test(arguments: [
        ("init.execute.not-found", 127), ("init.execute.denied", 126), ("init.execute.failed", 126),
        ("init.mount.failed", 125), ("container.already-destroying", 125),
    ])
    func commandsThatCannotRun(code: String, status: Int32) {
        let error = ClientError(
            cause: .call(.failedPrecondition), message: "no", info: Gantry.V1.ErrorInfo(code: code))
        #expect(Failure(describing: error).exitCode == status)
    }
}
