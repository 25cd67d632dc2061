/* SPDX-License-Identifier: Apache-2.0
 * What cgroup directories need: directory entries. */
#ifndef CLINUX_CGROUPS_H
#define CLINUX_CGROUPS_H

#include <dirent.h>
#include <sys/types.h>

/* Swift sees d_name as a tuple of 256 numbers. */
static inline const char *gantry_dirent_name(const struct dirent *entry) {
    return entry->d_name;
}

static inline int gantry_dirent_is_directory(const struct dirent *entry) {
    return entry->d_type == DT_DIR;
}

#endif
