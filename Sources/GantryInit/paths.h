// SPDX-License-Identifier: Apache-2.0
//
// Paths below the container's root. The image is hostile: every path is resolved by openat2(2) with
// RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, and used through the descriptor that comes out.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// A descriptor that is closed when its variable goes out of scope.
#define scoped_fd __attribute__((cleanup(close_scoped))) int
void close_scoped(int *fd);

// The root that paths are resolved in: "/" until a root step or pivot_root. Takes over `fd`.
void set_root(int fd);
int root(void);

// An O_PATH descriptor of what is at `path` inside the root. `resolve` adds RESOLVE_* bits, `flags` O_*.
// What is below /proc must lie on a procfs. -1 and errno.
int open_in_root(const char *path, uint64_t flags, uint64_t resolve);

// The same, but missing directories are made: parents with mode 0755, the last component as `mode`
// says (S_IFDIR or S_IFREG, and permission bits).
int open_or_make(const char *path, mode_t mode, uint64_t resolve);

// Opens the directory that holds the last component of `path`, and points `name` to that component.
int open_parent(const char *path, const char **name);

// A host path whose every component must be real: an O_PATH descriptor of a directory. -1 and errno.
int open_host_directory(const char *path);
