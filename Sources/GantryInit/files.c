// SPDX-License-Identifier: Apache-2.0
//
// Files and directories below the root. The supervisor's umask is 0: modes are as the plan says.
#include "kernel.h"
#include "paths.h"
#include "report.h"
#include "steps.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int step_directory(const struct step *step) {
    const char *path = step->field[1].text;
    scoped_fd made = open_or_make(path, S_IFDIR | ((mode_t)step->field[2].number & 07777), 0);
    struct stat about;
    if (made < 0 || fstat(made, &about) != 0) {
        return fail(errno, "make directory ", path, NULL);
    }
    return S_ISDIR(about.st_mode) ? 0 : fail(ENOTDIR, "make directory ", path, NULL);
}

int step_device(const struct step *step) {
    const char *path = step->field[1].text, *name;
    mode_t mode = (mode_t)step->field[2].number;
    dev_t device = makedev((unsigned)step->field[3].number, (unsigned)step->field[4].number);
    scoped_fd parent = open_parent(path, &name);
    if (parent < 0) {
        return fail(errno, "open the parent of ", path, NULL);
    }
    return mknodat(parent, name, mode, device) == 0 ? 0 : fail(errno, "mknod ", path, NULL);
}

int step_symbolic_link(const struct step *step) {
    const char *path = step->field[2].text, *name;
    scoped_fd parent = open_parent(path, &name);
    if (parent < 0) {
        return fail(errno, "open the parent of ", path, NULL);
    }
    if (symlinkat(step->field[1].text, parent, name) == 0) {
        return 0;
    }
    int error = errno;
    struct stat about;
    bool is_link = error == EEXIST && fstatat(parent, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(about.st_mode);
    return is_link ? 0 : fail(error, "symlink ", path, NULL);
}

static int write_content(int fd, struct bytes content) {
    while (content.at < content.end) {
        ssize_t written = write(fd, content.at, (size_t)(content.end - content.at));
        if (written < 0) {
            return -1;
        }
        content.at += written;
    }
    return 0;
}

int step_file(const struct step *step) {
    const char *path = step->field[1].text, *name;
    scoped_fd parent = open_parent(path, &name);
    if (parent < 0) {
        return fail(errno, "open the parent of ", path, NULL);
    }
    // Nobody else may read it before it has its owner; chown takes set-id bits away, so the mode is last.
    scoped_fd file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) {
        return fail(errno, "create ", path, NULL);
    }
    if (write_content(file, step->field[5].bytes) != 0) {
        return fail(errno, "write ", path, NULL);
    }
    if (fchown(file, (uid_t)step->field[3].number, (gid_t)step->field[4].number) != 0 ||
        fchmod(file, (mode_t)step->field[2].number & 07777) != 0) {
        return fail(errno, "set owner and mode of ", path, NULL);
    }
    return 0;
}

int step_working_directory(const struct step *step) {
    const char *path = step->field[1].text;
    if (step->field[2].number != 0) {
        scoped_fd made = open_or_make(path, S_IFDIR | 0755, 0);
        if (made < 0) {
            fail(errno, "make directory ", path, " (going on)", NULL);
            warn();
        }
    }
    if (chdir(path) != 0) {
        return fail(errno, "chdir to ", path, NULL);
    }
    // A leaked or magic link to the host's tree would make a directory that has no path below "/":
    // the kernel says so. The library's getcwd would hide it, or start a search of its own.
    char real[PATH_MAX];
    if (syscall(SYS_getcwd, real, sizeof real) < 0 || real[0] != '/') {
        return fail(EXDEV, "working directory ", path, " is outside of the root", NULL);
    }
    return 0;
}
