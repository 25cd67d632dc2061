/* SPDX-License-Identifier: Apache-2.0
 * Processes by descriptor, sealed memory, and descriptors sent over sockets. */
#ifndef CLINUX_PROCESSES_H
#define CLINUX_PROCESSES_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc 2.34. */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

/* pidfd_open(2): Linux 5.3. */
static inline int gantry_pidfd_open(int32_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* pidfd_send_signal(2): Linux 5.1. */
static inline int gantry_pidfd_send_signal(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

/* Reaps the process of a pidfd if it has ended (waitid(2) with P_PIDFD, Linux 5.4). Returns 1 and its wait status in
 * wait(2)'s encoding, 0 if it still runs, -1 with ECHILD if it is not our child. */
static inline int gantry_pidfd_reap(int pidfd, int32_t *status) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    if (syscall(SYS_waitid, 3 /* P_PIDFD */, pidfd, &info, WEXITED | WNOHANG, NULL) < 0)
        return -1;
    if (info.si_pid == 0)
        return 0;
    if (info.si_code == CLD_EXITED) {
        *status = (info.si_status & 0xff) << 8;
    } else {
        *status = (info.si_status & 0x7f) | (info.si_code == CLD_DUMPED ? 0x80 : 0);
    }
    return 1;
}

/* memfd_create(2) with sealing allowed. MFD_EXEC is Linux 6.3; older kernels refuse the flag and need none. */
static inline int gantry_memfd_executable(const char *name) {
    int fd = (int)syscall(SYS_memfd_create, name, 0x0001U | 0x0002U | 0x0010U);
    if (fd < 0 && errno == EINVAL)
        fd = (int)syscall(SYS_memfd_create, name, 0x0001U | 0x0002U);
    return fd;
}

/* memfd_create(2) with sealing allowed, for data. MFD_NOEXEC_SEAL is Linux 6.3, as above. */
static inline int gantry_memfd_sealable(const char *name) {
    int fd = (int)syscall(SYS_memfd_create, name, 0x0001U | 0x0002U | 0x0008U);
    if (fd < 0 && errno == EINVAL)
        fd = (int)syscall(SYS_memfd_create, name, 0x0001U | 0x0002U);
    return fd;
}

/* Seals it for good: no writes, no change of size, no more seals. */
static inline int gantry_memfd_seal(int fd) {
    return fcntl(fd, 1033 /* F_ADD_SEALS */, 0x0001 | 0x0002 | 0x0004 | 0x0008);
}

enum { GANTRY_MAX_PASSED = 64, GANTRY_SOCK_SEQPACKET = SOCK_SEQPACKET };

/* One message with descriptors (SCM_RIGHTS, unix(7)), without blocking and without SIGPIPE. */
static inline ssize_t gantry_send_descriptors(int socket, const void *bytes, size_t length, const int *fds,
                                              size_t count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * GANTRY_MAX_PASSED)];
    } control;
    struct iovec vector = {(void *)(uintptr_t)bytes, length};
    struct msghdr message;
    if (count > GANTRY_MAX_PASSED) {
        errno = EINVAL;
        return -1;
    }
    memset(&message, 0, sizeof(message));
    memset(&control, 0, sizeof(control));
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (count > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One message and at most one descriptor, close-on-exec; `fd` is -1 without one. More descriptors are closed. */
static inline ssize_t gantry_receive_descriptor(int socket, void *bytes, size_t length, int *fd) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec vector = {bytes, length};
    struct msghdr message;
    ssize_t got;
    *fd = -1;
    memset(&message, 0, sizeof(message));
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof(control.space);
    got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got >= 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(&control.header), sizeof(int));
    }
    return got;
}

#endif
