// SPDX-License-Identifier: Apache-2.0
//
// Mounts below the root: made detached, then attached to what the target's descriptor is.
#include "kernel.h"
#include "paths.h"
#include "report.h"
#include "steps.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// What the kernel has to say about a failed fsconfig, in words; "" if nothing.
static const char *context_message(int fs) {
    static char message[256];
    int error = errno;
    ssize_t length = read(fs, message, sizeof message - 1);
    message[length < 0 ? 0 : length] = '\0';
    message[strcspn(message, "\n")] = '\0';
    errno = error;
    return message;
}

static int set_option(int fs, const char *option) {
    char key[64];
    size_t length = strcspn(option, "=");
    if (length >= sizeof key) {
        errno = EINVAL;
        return -1;
    }
    memcpy(key, option, length);
    key[length] = '\0';
    const char *value = option[length] == '=' ? option + length + 1 : NULL;
    return sys_fsconfig(fs, value != NULL ? GI_FSCONFIG_SET_STRING : GI_FSCONFIG_SET_FLAG, key, value, 0);
}

// A detached mount of a new file system instance, or -1 after `fail`.
static int new_mount(const char *type, struct list options, uint64_t attributes) {
    scoped_fd fs = sys_fsopen(type);
    if (fs < 0) {
        return fail(errno, "fsopen ", type, NULL);
    }
    bool has_source = false;
    for (const char *option; (option = next_text(&options)) != NULL;) {
        has_source = has_source || strncmp(option, "source=", 7) == 0;
        if (set_option(fs, option) != 0) {
            return fail(errno, "option ", option, " of ", type, ": ", context_message(fs), NULL);
        }
    }
    // What /proc/mounts shows in its first column: "none" would mislead.
    if (!has_source && sys_fsconfig(fs, GI_FSCONFIG_SET_STRING, "source", type, 0) != 0) {
        return fail(errno, "source of ", type, NULL);
    }
    if (sys_fsconfig(fs, GI_FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
        return fail(errno, "create ", type, ": ", context_message(fs), NULL);
    }
    // The kernel takes 32 bits; it must not lose what it does not know.
    int mount = attributes <= UINT32_MAX ? sys_fsmount(fs, (unsigned)attributes) : (errno = EINVAL, -1);
    return mount >= 0 ? mount : fail(errno, "fsmount ", type, NULL);
}

static int attach(int mount, int target, const char *path) {
    return sys_attach(mount, target) == 0 ? 0 : fail(errno, "move_mount on ", path, NULL);
}

int step_mount(const struct step *step) {
    const char *type = step->field[1].text, *path = step->field[2].text;
    scoped_fd mount = new_mount(type, step->field[4].list, step->field[3].number);
    if (mount < 0) {
        return -1;
    }
    // A link at /proc or /sys would put them elsewhere, and an image's files in their place.
    bool strict = strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
    scoped_fd target = open_or_make(path, S_IFDIR | 0755, strict ? GI_RESOLVE_NO_SYMLINKS : 0);
    if (target < 0) {
        return fail(errno, "open ", path, NULL);
    }
    return attach(mount, target, path);
}

// The MOUNT_ATTR_* bits of one setting (access time) exclude each other: all are cleared with it.
static struct gi_mount_attr attributes_of(uint64_t set, uint64_t clear) {
    const uint64_t access_time = 0x70;
    return (struct gi_mount_attr){
        .set = set,
        .clear = clear | ((set & access_time) != 0 ? access_time : 0),
    };
}

int step_bind(const struct step *step) {
    const char *source = step->field[1].text, *path = step->field[2].text;
    bool recursive = step->field[3].number != 0, optional = step->field[6].number != 0;

    bool by_path = step->field[5].number == 0 && step->field[7].number == 0;
    scoped_fd found = by_path                      ? -1
                      : step->field[7].number != 0 ? open_host_directory(source)
                                                   : open_in_root(source, 0, 0);
    scoped_fd tree = by_path      ? sys_open_tree_clone(AT_FDCWD, source, recursive)
                     : found >= 0 ? sys_open_tree_clone(found, "", recursive)
                                  : -1;
    if (tree < 0 && errno == ENOENT && optional) {
        return 0;
    }
    struct stat about;
    if (tree < 0 || fstat(tree, &about) != 0) {
        return fail(errno, "open_tree of ", source, NULL);
    }
    struct gi_mount_attr attributes = attributes_of(step->field[4].number, 0);
    if (attributes.set != 0 && sys_mount_setattr(tree, recursive, &attributes) != 0) {
        return fail(errno, "mount_setattr for ", path, NULL);
    }
    scoped_fd target = open_or_make(path, S_ISDIR(about.st_mode) ? S_IFDIR | 0755 : S_IFREG | 0644, 0);
    if (target < 0) {
        return fail(errno, "open ", path, NULL);
    }
    return attach(tree, target, path);
}

int step_attributes(const struct step *step) {
    const char *path = step->field[1].text;
    scoped_fd mount = open_in_root(path, 0, 0);
    if (mount < 0) {
        return fail(errno, "open ", path, NULL);
    }
    struct gi_mount_attr attributes = attributes_of(step->field[2].number, step->field[3].number);
    attributes.propagation = step->field[4].number;
    if (sys_mount_setattr(mount, step->field[5].number != 0, &attributes) != 0) {
        return fail(errno, "mount_setattr on ", path, NULL);
    }
    return 0;
}

// What lies over masked paths, made once. Both are attached mounts of the container's own namespace,
// so that open_tree can clone them.
static int null_device = -1, empty_directory = -1;

int open_null_device(void) {
    struct stat about;
    null_device = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (null_device < 0 || fstat(null_device, &about) != 0) {
        return fail(errno, "open /dev/null", NULL);
    }
    if (!S_ISCHR(about.st_mode) || about.st_rdev != makedev(1, 3)) {
        return fail(ENODEV, "/dev/null is not the null device", NULL);
    }
    return 0;
}

static int mask_directory(int target, const char *path) {
    if (empty_directory >= 0) {
        scoped_fd tree = sys_open_tree_clone(empty_directory, "", false);
        return tree < 0 ? fail(errno, "open_tree of the empty directory", NULL) : attach(tree, target, path);
    }
    const uint64_t attributes =
        GI_MOUNT_ATTR_RDONLY | GI_MOUNT_ATTR_NOSUID | GI_MOUNT_ATTR_NODEV | GI_MOUNT_ATTR_NOEXEC;
    scoped_fd mount = new_mount("tmpfs", (struct list){.count = 0}, attributes);
    if (mount < 0 || attach(mount, target, path) != 0) {
        return -1;
    }
    empty_directory = fcntl(mount, F_DUPFD_CLOEXEC, 0);
    return 0;
}

int step_mask(const struct step *step) {
    const char *path = step->field[1].text;
    scoped_fd target = open_in_root(path, 0, 0);
    if (target < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return 0;
    }
    struct stat about;
    if (target < 0 || fstat(target, &about) != 0) {
        return fail(errno, "open ", path, NULL);
    }
    if (S_ISDIR(about.st_mode)) {
        return mask_directory(target, path);
    }
    scoped_fd tree = sys_open_tree_clone(null_device, "", false);
    struct gi_mount_attr read_only = {.set = GI_MOUNT_ATTR_RDONLY | GI_MOUNT_ATTR_NOSUID | GI_MOUNT_ATTR_NOEXEC};
    if (tree < 0 || sys_mount_setattr(tree, false, &read_only) != 0) {
        return fail(errno, "open_tree of /dev/null", NULL);
    }
    return attach(tree, target, path);
}
