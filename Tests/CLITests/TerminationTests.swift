// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

@testable import CLI

@Suite struct TerminationTests {
    private let name = ContainerName(Mesos.ContainerID(value: "web"))

    @Test(arguments: [
        (0, 0, "exited with code 0"), (3 << 8, 3, "exited with code 3"), (255 << 8, 255, "exited with code 255"),
        (9, 137, "ended by SIGKILL"), (15, 143, "ended by SIGTERM"), (0x80 | 11, 139, "ended by SIGSEGV (core dumped)"),
    ])
    func statuses(status: Int32, code: Int32, text: String) {
        let termination = Mesos.Slave.ContainerTermination(status: status)
        #expect(termination.exitCode == code)
        #expect(termination.text == text)
        #expect(termination.failure(of: name) == nil)
    }

    @Test func withoutAStatusTheCommandNeverRan() {
        let termination = Mesos.Slave.ContainerTermination()
        #expect(termination.exitCode == 125)
        #expect(termination.failure(of: name) == Failure("web ended before its command ran"))
    }

    @Test func aMemoryLimitIsTold() {
        let termination = Mesos.Slave.ContainerTermination(
            message: "limit 32 MiB, peak 32 MiB", status: 9, state: .taskFailed, reason: .containerLimitationMemory)
        let failure = termination.failure(of: name)
        #expect(failure?.message == "web ran out of memory: limit 32 MiB, peak 32 MiB")
        #expect(failure?.exitCode == 137)
        #expect(failure?.hint.contains("--memory") == true)
        #expect(termination.exitCode == 137)
    }

    @Test func anyOtherReasonIsTold() {
        let termination = Mesos.Slave.ContainerTermination(status: 9, state: .taskFailed, reason: .ioSwitchboardExited)
        #expect(termination.failure(of: name)?.message == "web was ended: REASON_IO_SWITCHBOARD_EXITED")
    }
}
