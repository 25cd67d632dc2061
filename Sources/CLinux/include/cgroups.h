/* SPDX-License-Identifier: Apache-2.0
 * What cgroup directories need: process descriptors, inotify and eventfd. */
#ifndef CLINUX_CGROUPS_H
#define CLINUX_CGROUPS_H

#include <dirent.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

/* unistd.h hides syscall(2) without _GNU_SOURCE. */
extern long syscall(long number, ...);

/* The number is the same on every architecture, since the call is newer than their common table (5.3). */
#define GANTRY_NR_PIDFD_OPEN 434

static inline int gantry_cgroup_pidfd_open(pid_t pid) {
    return (int)syscall(GANTRY_NR_PIDFD_OPEN, pid, 0);
}

/* Close-on-exec and non-blocking. */
static inline int gantry_inotify_open(void) {
    return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

static inline int gantry_eventfd_open(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

enum {
    GANTRY_IN_MODIFY = IN_MODIFY,
    GANTRY_IN_IGNORED = IN_IGNORED,
    GANTRY_IN_Q_OVERFLOW = IN_Q_OVERFLOW,
};

/* Swift sees d_name as a tuple of 256 numbers. */
static inline const char *gantry_dirent_name(const struct dirent *entry) {
    return entry->d_name;
}

static inline int gantry_dirent_is_directory(const struct dirent *entry) {
    return entry->d_type == DT_DIR;
}

#endif
