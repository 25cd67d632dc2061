// SPDX-License-Identifier: Apache-2.0
internal import Wire

extension Mesos.Slave.ContainerTermination {
    /// The command's own code, or 128+n for a signal. Without a status the command never ran: gantry's failure.
    var exitCode: Int32 {
        status.map(ExitStatus.code(forWaitStatus:)) ?? ExitStatus.failed
    }

    /// `exited with code 3`, `ended by SIGKILL`
    var text: String {
        guard let status else { return "ended before its command ran" }
        let signal = status & 0x7f
        if signal != 0 {
            return "ended by \(SignalName(number: signal))" + (status & 0x80 != 0 ? " (core dumped)" : "")
        }
        return "exited with code \(exitCode)"
    }

    /// What to tell the user beyond the exit code: a limit that was hit, a destruction before the command ran. nil for
    /// a command that ended by itself.
    func failure(of name: ContainerName) -> Failure? {
        let message = message ?? ""
        if reason == nil && state == nil {
            return status == nil ? Failure("\(name) \(text)" + (message.isEmpty ? "" : ": \(message)")) : nil
        }
        let detail = message.isEmpty ? reason?.name ?? text : message
        switch reason {
        case .some(.containerLimitationMemory):
            return Failure(
                "\(name) ran out of memory: \(detail)", step: "running (memory limit)",
                hint: "give it more with --memory, or none to take the limit away", exitCode: exitCode)
        case .some(.containerLimitationDisk):
            return Failure(
                "\(name) ran out of disk space: \(detail)", step: "running (disk limit)", exitCode: exitCode)
        default:
            return Failure("\(name) was ended: \(detail)", step: "running", exitCode: exitCode)
        }
    }
}
