// SPDX-License-Identifier: Apache-2.0
//
// The kernel interface that the C library's headers lack. musl 1.2.3 knows the system call numbers
// but few of the structures and constants; glibc has some of them in headers that clash with the
// kernel's own. So the few that are needed stand here, under names of our own where a library could
// define the same, and every call goes through syscall(2).
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "64-bit Linux only");

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#define GI_CLONE_INTO_CGROUP 0x200000000ULL

struct gi_clone_args { // struct clone_args, clone3(2), version 2
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static inline pid_t sys_clone3(struct gi_clone_args *args) {
    return (pid_t)syscall(SYS_clone3, args, sizeof *args);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}
#define GI_CLOSE_RANGE_CLOEXEC 4U

static inline int sys_pidfd_kill(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

// openat2(2)
struct gi_open_how {
    uint64_t flags, mode, resolve;
};
#define GI_RESOLVE_NO_MAGICLINKS 0x02U
#define GI_RESOLVE_NO_SYMLINKS   0x04U
#define GI_RESOLVE_IN_ROOT       0x10U

static inline int sys_openat2(int directory, const char *path, const struct gi_open_how *how) {
    return (int)syscall(SYS_openat2, directory, path, how, sizeof *how);
}

// The new mount interface: fsopen, fsconfig, fsmount, open_tree, move_mount, mount_setattr.
#define GI_FSCONFIG_SET_FLAG   0U
#define GI_FSCONFIG_SET_STRING 1U
#define GI_FSCONFIG_SET_FD     5U
#define GI_FSCONFIG_CMD_CREATE 6U
#define GI_MOUNT_ATTR_RDONLY   0x01U
#define GI_MOUNT_ATTR_NOSUID   0x02U
#define GI_MOUNT_ATTR_NODEV    0x04U
#define GI_MOUNT_ATTR_NOEXEC   0x08U
#define GI_AT_RECURSIVE        0x8000U

struct gi_mount_attr {
    uint64_t set, clear, propagation, userns_fd;
};

static inline int sys_fsopen(const char *type) {
    return (int)syscall(SYS_fsopen, type, 1U /* FSOPEN_CLOEXEC */);
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const void *value, int aux) {
    return (int)syscall(SYS_fsconfig, fs, command, key, value, aux);
}

static inline int sys_fsmount(int fs, unsigned attributes) {
    return (int)syscall(SYS_fsmount, fs, 1U /* FSMOUNT_CLOEXEC */, attributes);
}

// A detached copy of the mount at `directory`; `recursive` with the mounts below it.
static inline int sys_open_tree_clone(int directory, const char *path, bool recursive) {
    unsigned flags = 1U /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? GI_AT_RECURSIVE : 0U);
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

// Attaches a detached mount on what `target` (O_PATH) is: no path is looked up.
static inline int sys_attach(int mount, int target) {
    return (int)syscall(SYS_move_mount, mount, "", target, "", 0x04U /* F_EMPTY_PATH */ | 0x40U /* T_EMPTY_PATH */);
}

static inline int sys_mount_setattr(int mount, bool recursive, const struct gi_mount_attr *attr) {
    return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? GI_AT_RECURSIVE : 0U), attr,
                        sizeof *attr);
}

// Signal masks as the kernel has them: the C libraries keep a few real-time signals to themselves.
static inline uint64_t signal_bit(int signal) {
    return 1ULL << (unsigned)(signal - 1);
}

static inline void sys_signal_mask(uint64_t mask) {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

// The next pending signal in `set`, waiting for it without a limit if `wait`; -1 if there is none.
static inline int sys_take_signal(uint64_t set, siginfo_t *info, bool wait) {
    struct {
        int64_t seconds, nanoseconds;
    } zero = {0, 0};
    return (int)syscall(SYS_rt_sigtimedwait, &set, info, wait ? NULL : &zero, sizeof set);
}

// fork(2) without the C library's handlers and caches: neither side needs them.
static inline pid_t sys_fork(void) {
    struct gi_clone_args args = {.exit_signal = SIGCHLD};
    return sys_clone3(&args);
}
