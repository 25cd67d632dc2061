// SPDX-License-Identifier: Apache-2.0
//
// The container's root: what is mounted for it, and the change into it.
#include "kernel.h"
#include "paths.h"
#include "report.h"
#include "steps.h"

#include <limits.h>
#include <string.h>

int step_propagation(const struct step *step) {
    unsigned long flags = step->field[1].number;
    const char *path = step->field[2].text != NULL ? step->field[2].text : "/";
    if ((flags & ~(unsigned long)(MS_REC | MS_SLAVE | MS_PRIVATE | MS_SHARED | MS_UNBINDABLE)) != 0) {
        return fail(EINVAL, "propagation flags", NULL);
    }
    if (mount(NULL, path, NULL, flags, NULL) != 0) {
        return fail(errno, "change propagation of ", path, NULL);
    }
    return 0;
}

// The option string of an overlay: the kernel takes less than a page of it.
struct options {
    size_t length;
    char text[4096];
};

static bool add(struct options *options, const char *text) {
    size_t length = strlen(text);
    if (length >= sizeof options->text - options->length) {
        return false;
    }
    memcpy(options->text + options->length, text, length + 1);
    options->length += length;
    return true;
}

// Adds a path, with what separates options and layers escaped.
static bool add_path(struct options *options, const char *path) {
    for (; *path != '\0'; path++) {
        char escaped[3] = {'\\', *path, '\0'};
        if (!add(options, strchr("\\:,", *path) != NULL ? escaped : escaped + 1)) {
            return false;
        }
    }
    return true;
}

// Layers' descriptors are above all others that the supervisor ever has.
enum { FIRST_LAYER = 64 };

// A name for `path` that is short, however long the path: the number of a new descriptor, relative
// to /proc/self/fd.
static const char *descriptor_name(struct decimal *buffer, const char *path) {
    scoped_fd fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int layer = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_LAYER);
    return layer < 0 ? NULL : decimal(buffer, (uint64_t)layer);
}

// "lowerdir=A:B:C,upperdir=D,workdir=E,...": 1, 0 if that does not fit, or -1 after `fail`.
static int build_options(struct options *options, const struct step *step, bool by_descriptor) {
    struct list lower = step->field[2].list, more = step->field[5].list;
    const char *separator = "lowerdir=";
    bool fits = true;
    options->length = 0;
    for (const char *layer; fits && (layer = next_text(&lower)) != NULL; separator = ":") {
        struct decimal buffer;
        const char *name = by_descriptor ? descriptor_name(&buffer, layer) : layer;
        if (name == NULL) {
            return fail(errno, "open layer ", layer, NULL);
        }
        fits = add(options, separator) && add_path(options, name);
    }
    if (step->field[3].text != NULL) {
        fits = fits && add(options, ",upperdir=") && add_path(options, step->field[3].text) &&
               add(options, ",workdir=") && add_path(options, step->field[4].text);
    }
    for (const char *option; fits && (option = next_text(&more)) != NULL;) {
        if (strchr(option, ',') != NULL) {
            return fail(EINVAL, "comma in overlay option ", option, NULL);
        }
        fits = add(options, ",") && add(options, option);
    }
    return fits;
}

static int mount_overlay(const struct step *step, const struct options *options) {
    const char *target = step->field[1].text;
    if (mount("overlay", target, "overlay", step->field[3].text == NULL ? MS_RDONLY : 0, options->text) != 0) {
        return fail(errno, "mount overlay on ", target, NULL);
    }
    return 0;
}

// Layers named by descriptor take at most four bytes each: the kernel's own limit of 500 layers comes
// before the page's. This works with every kernel that has overlayfs; fsconfig's "lowerdir+" has no
// such limit either, but needs 6.7, and 6.13 for paths over 255 bytes.
static int mount_by_descriptor(struct options *options, const struct step *step) {
    if (chdir("/proc/self/fd") != 0) {
        return fail(errno, "chdir to /proc/self/fd", NULL);
    }
    int built = build_options(options, step, true);
    if (built <= 0) {
        return built < 0 ? built : fail(E2BIG, "layers of ", step->field[1].text, NULL);
    }
    if (mount_overlay(step, options) != 0) {
        return -1;
    }
    sys_close_range(FIRST_LAYER, UINT32_MAX, 0);
    return chdir("/") == 0 ? 0 : fail(errno, "chdir to /", NULL);
}

int step_overlay_root(const struct step *step) {
    const char *target = step->field[1].text;
    if (step->field[2].list.count == 0 || (step->field[3].text == NULL) != (step->field[4].text == NULL)) {
        return fail(EINVAL, "overlay on ", target, ": lower is missing, or one of upper and work", NULL);
    }
    struct options options;
    int built = build_options(&options, step, false);
    if (built < 0 || (built == 1 ? mount_overlay(step, &options) : mount_by_descriptor(&options, step)) != 0) {
        return -1;
    }
    int top = open_host_directory(target);
    if (top < 0) {
        return fail(errno, "open root ", target, NULL);
    }
    set_root(top);
    return 0;
}

int step_bind_root(const struct step *step) {
    const char *target = step->field[1].text;
    scoped_fd below = open_host_directory(target);
    if (below < 0) {
        return fail(errno, "open root ", target, NULL);
    }
    int tree = sys_open_tree_clone(below, "", true);
    if (tree < 0) {
        return fail(errno, "open_tree of ", target, NULL);
    }
    struct gi_mount_attr read_only = {.set = GI_MOUNT_ATTR_RDONLY};
    if (step->field[2].number != 0 && sys_mount_setattr(tree, true, &read_only) != 0) {
        return fail(errno, "mount_setattr on ", target, NULL);
    }
    if (sys_attach(tree, below) != 0) {
        return fail(errno, "move_mount on ", target, NULL);
    }
    // The tree's own descriptor stands for what is mounted now.
    set_root(tree);
    return 0;
}

int step_pivot_root(const struct step *step) {
    (void)step;
    scoped_fd old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old < 0 || fchdir(root()) != 0) {
        return fail(errno, "enter the root", NULL);
    }
    // With both names the same, the old root comes to lie on top of the new one: no directory for it
    // has to be made in an image that may be read-only.
    if (syscall(SYS_pivot_root, ".", ".") != 0) {
        return fail(errno, "pivot_root", NULL);
    }
    // Slave: if the plan forgot the propagation step, this unmount must not reach the host.
    if (fchdir(old) != 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) != 0 || umount2(".", MNT_DETACH) != 0) {
        return fail(errno, "unmount the old root", NULL);
    }
    if (chdir("/") != 0) {
        return fail(errno, "chdir to the new root", NULL);
    }
    return 0;
}
