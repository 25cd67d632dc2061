/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_ERRORS_H
#define CLINUX_ERRORS_H

extern const char *strerrorname_np(int value);

/* The symbol ("ENOENT") of an errno value, or NULL. glibc 2.32. */
static inline const char *gantry_errno_name(int value) {
    return strerrorname_np(value);
}

#endif
