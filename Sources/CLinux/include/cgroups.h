/* SPDX-License-Identifier: Apache-2.0
 * What cgroup directories need: process descriptors and directory entries. */
#ifndef CLINUX_CGROUPS_H
#define CLINUX_CGROUPS_H

#include <dirent.h>
#include <sys/types.h>

/* unistd.h hides syscall(2) without _GNU_SOURCE. */
extern long syscall(long number, ...);

/* The number is the same on every architecture, since the call is newer than their common table (5.3). */
#define GANTRY_NR_PIDFD_OPEN 434

static inline int gantry_cgroup_pidfd_open(pid_t pid) {
    return (int)syscall(GANTRY_NR_PIDFD_OPEN, pid, 0);
}

/* Swift sees d_name as a tuple of 256 numbers. */
static inline const char *gantry_dirent_name(const struct dirent *entry) {
    return entry->d_name;
}

static inline int gantry_dirent_is_directory(const struct dirent *entry) {
    return entry->d_type == DT_DIR;
}

#endif
