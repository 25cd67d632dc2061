// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemPackage

/// A program in sealed memory (memfd_create(2), F_SEAL_*): what runs from it can neither change it nor reach the file
/// that it came from (CVE-2019-5736).
public struct SealedProgram: ~Copyable, Sendable {
    private let memory: Descriptor

    public init(copying path: String) throws(SystemError) {
        let file = Descriptor(owning: try systemCall("open", path) { open(path, O_RDONLY | O_CLOEXEC) })
        let memory = Descriptor(owning: try systemCall("memfd_create", path) { gantry_memfd_executable("gantry-init") })
        let (source, target) = (file.raw, memory.raw)
        while try systemCall("sendfile", path, { sendfile(target, source, nil, 1 << 20) }) > 0 {}
        try systemCall("fcntl(F_ADD_SEALS)", path) { gantry_memfd_seal(target) }
        self.memory = memory
    }

    /// Starts the program as a child with an empty environment. Descriptor 3 of the child is `channel`, 4 the program;
    /// 0 and 1 are /dev/null, 2 is ours, all others are closed. posix_spawn(3) neither copies our memory nor runs our code in the
    /// child.
    public borrowing func start(arguments: [String], channel: Int32) throws(SystemError) -> ProcessDescriptor {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, channel, 3)
        // The program itself must stay open until it is executed; it closes this descriptor then.
        posix_spawn_file_actions_adddup2(&actions, memory.raw, 4)
        posix_spawn_file_actions_addclosefrom_np(&actions, 5)

        var words = arguments.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/proc/self/fd/4", &actions, nil, &words, &environment)
        guard code == 0 else { throw SystemError("posix_spawn", arguments.first ?? "", Errno(rawValue: code)) }
        return try ProcessDescriptor(pid: pid)
    }
}
