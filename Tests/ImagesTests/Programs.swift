// SPDX-License-Identifier: Apache-2.0

import Glibc
import Kernel
import SystemPackage

/// Runs a program and waits for it; anything but success is an error.
func run(_ arguments: String...) throws {
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, arguments[0], nil, nil, words, environ)
    guard code == 0 else { throw SystemError("posix_spawnp", arguments[0], Errno(rawValue: code)) }
    var status: Int32 = 0
    try systemCall("waitpid") { waitpid(process, &status, 0) }
    guard status == 0 else { throw SystemError(arguments.joined(separator: " "), "status \(status)", .invalidArgument) }
}
