// SPDX-License-Identifier: Apache-2.0

import Core
import Glibc
import Kernel

/// Why the daemon does not start, in the form that all of Gantry's errors have.
public enum FailureReport {
    public static func print(_ error: any Error) {
        let error = ContainerError(wrapping: error, step: "start")
        var text = "error: gantryd cannot start: \(error.message)\n"
        if !error.step.isEmpty { text += "  step:  \(error.step)\n" }
        if !error.hint.isEmpty { text += "  hint:  \(error.hint)\n" }
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
