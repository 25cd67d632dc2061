/* SPDX-License-Identifier: Apache-2.0
 * The mount calls that make a file system instance which is attached nowhere. */
#ifndef CLINUX_OVERLAY_H
#define CLINUX_OVERLAY_H

#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

extern long syscall(long number, ...);

/* fsopen(2). */
static inline int gantry_file_system_context(const char *type) {
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

/* fsconfig(2) with FSCONFIG_SET_STRING; the kernel takes 255 bytes of value. */
static inline int gantry_file_system_option(int context, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

/* fsconfig(2) with FSCONFIG_CMD_CREATE. */
static inline int gantry_file_system_create(int context) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* fsmount(2): a directory descriptor; the mount ends with the last descriptor in it. */
static inline int gantry_file_system_mount(int context) {
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
}

#endif
