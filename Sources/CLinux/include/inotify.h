/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_INOTIFY_H
#define CLINUX_INOTIFY_H

#include <sys/inotify.h>

static inline int gantry_inotify_open(void) {
    return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

static inline int gantry_inotify_watch_modified(int fd, const char *path) {
    return inotify_add_watch(fd, path, IN_MODIFY);
}

#endif
