// SPDX-License-Identifier: Apache-2.0
#include "paths.h"

#include "kernel.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { PROCFS = 0x9fa0 }; // PROC_SUPER_MAGIC

void close_scoped(int *fd) {
    if (*fd >= 0) {
        close(*fd);
    }
}

static int root_fd = -1;

void set_root(int fd) {
    close_scoped(&root_fd);
    root_fd = fd;
}

int root(void) {
    return root_fd;
}

// "/proc", "/proc/...", whatever the number of slashes.
static bool is_below_proc(const char *path) {
    path += strspn(path, "/");
    if (strncmp(path, "proc/", 5) != 0) {
        return false;
    }
    path += 5;
    return path[strspn(path, "/")] != '\0';
}

int open_in_root(const char *path, uint64_t flags, uint64_t resolve) {
    struct gi_open_how how = {
        .flags = O_PATH | O_CLOEXEC | flags,
        .resolve = GI_RESOLVE_IN_ROOT | GI_RESOLVE_NO_MAGICLINKS | resolve,
    };
    int fd;
    // EAGAIN: something was renamed on the way, and the kernel cannot say that ".." stayed inside.
    for (int attempt = 0; (fd = sys_openat2(root_fd, path, &how)) < 0 && errno == EAGAIN && attempt < 64; attempt++) {
    }
    struct statfs about;
    if (fd >= 0 && is_below_proc(path) && (fstatfs(fd, &about) != 0 || about.f_type != PROCFS)) {
        // Not what it says: a directory or link of the image, or something mounted over it.
        close(fd);
        errno = EXDEV;
        return -1;
    }
    return fd;
}

// Makes `name` in `directory`. What came into being meanwhile is fine: the caller opens it again.
static int make(int directory, const char *name, mode_t mode) {
    int result = S_ISDIR(mode) ? mkdirat(directory, name, mode & 07777) : mknodat(directory, name, mode, 0);
    return result != 0 && errno == EEXIST ? 0 : result;
}

int open_or_make(const char *path, mode_t mode, uint64_t resolve) {
    int found = open_in_root(path, 0, resolve);
    if (found >= 0 || errno != ENOENT) {
        return found;
    }
    char walked[PATH_MAX];
    size_t length = strnlen(path, sizeof walked);
    if (length == sizeof walked) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(walked, path, length + 1);

    int at = open_in_root("/", 0, 0);
    size_t end = strspn(walked, "/");
    while (at >= 0 && walked[end] != '\0') {
        const char *name = walked + end;
        end += strcspn(name, "/");
        size_t next = end + strspn(walked + end, "/");
        bool last = walked[next] == '\0';
        char kept = walked[end];
        walked[end] = '\0';
        int below = open_in_root(walked, 0, resolve);
        if (below < 0 && errno == ENOENT && make(at, name, last ? mode : S_IFDIR | 0755) == 0) {
            below = open_in_root(walked, 0, resolve);
        }
        int error = errno;
        walked[end] = kept;
        close(at);
        errno = error;
        at = below;
        end = next;
    }
    return at;
}

int open_parent(const char *path, const char **name) {
    char parent[PATH_MAX] = "/";
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    size_t above = length - strlen(*name);
    if (**name == '\0' || above >= sizeof parent) {
        errno = **name == '\0' ? EINVAL : ENAMETOOLONG;
        return -1;
    }
    if (above > 0) {
        memcpy(parent, path, above);
        parent[above] = '\0';
    }
    return open_in_root(parent, O_DIRECTORY, 0);
}

int open_host_directory(const char *path) {
    struct gi_open_how how = {.flags = O_PATH | O_CLOEXEC | O_DIRECTORY, .resolve = GI_RESOLVE_NO_SYMLINKS};
    return sys_openat2(AT_FDCWD, path, &how);
}
