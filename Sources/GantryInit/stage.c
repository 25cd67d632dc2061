// SPDX-License-Identifier: Apache-2.0
#include "stage.h"

#include "kernel.h"
#include "passing.h"
#include "paths.h"
#include "plan.h"
#include "report.h"
#include "steps.h"
#include "supervisor.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

// ---------------------------------------------------------------- the spawner's side

static struct {
    uint8_t *plan;
    size_t length;
    uint64_t namespaces;
    size_t wanted;
    int moment; // an eventfd: readable when nothing else is to be done
} recipe = {.moment = -1};

static struct stage waiting[STAGES_MAX];
static size_t waiting_count;

// The one process that makes a stage.
static struct {
    pid_t pid;
    int socket; // -1: none is running
} stager = {.socket = -1};

// Stages are being made until enough of them wait.
static bool filling;

int stage_set_recipe(int fd, int moment, uint64_t namespaces, uint32_t wanted) {
    struct stat about;
    if (recipe.plan != NULL || wanted > STAGES_MAX || namespaces & ~(uint64_t)(CLONE_NEWNET | CLONE_NEWIPC)) {
        return EINVAL;
    }
    if (fstat(fd, &about) != 0) {
        return errno;
    }
    if (about.st_size <= 0 || about.st_size > PLAN_MAX) {
        return EMSGSIZE;
    }
    size_t length = (size_t)about.st_size;
    uint8_t *plan = mmap(NULL, length + arena_size(length), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (plan == MAP_FAILED) {
        return errno;
    }
    for (size_t done = 0; done < length;) {
        ssize_t count = pread(fd, plan + done, length - done, (off_t)done);
        if (count <= 0) {
            int error = count == 0 ? EIO : errno;
            munmap(plan, length + arena_size(length));
            return error;
        }
        done += (size_t)count;
    }
    int kept = fcntl(moment, F_DUPFD_CLOEXEC, FD_FREE);
    if (kept < 0) {
        int error = errno;
        munmap(plan, length + arena_size(length));
        return error;
    }
    recipe.plan = plan;
    recipe.length = length;
    recipe.namespaces = namespaces;
    recipe.wanted = wanted;
    recipe.moment = kept;
    filling = wanted > 0;
    return 0;
}

bool stage_has_recipe(void) {
    return recipe.plan != NULL;
}

uint64_t stage_namespaces(void) {
    return recipe.namespaces;
}

static _Noreturn void run_stager(int socket);

static int start_stager(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return errno;
    }
    struct gi_clone_args args = {.flags = CLONE_NEWNS | recipe.namespaces, .exit_signal = SIGCHLD};
    pid_t pid = sys_clone3(&args);
    if (pid == 0) {
        run_stager(ends[1]);
    }
    int error = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error;
    }
    stager.pid = pid;
    stager.socket = ends[0];
    return 0;
}

void stage_close(struct stage *stage) {
    while (stage->count > 0) {
        close(stage->fds[--stage->count]);
    }
}

// Takes what the stager sends, and its end. 0 or errno, which is the stager's exit code if it failed.
static int finish_stager(struct stage *stage) {
    char byte;
    int flags;
    stage->count = STAGE_FDS_MAX;
    receive_descriptors(stager.socket, &byte, 1, stage->fds, &stage->count, &flags);
    close(stager.socket);
    stager.socket = -1;
    if (stage->count > 0) {
        return 0; // reaped when the next one starts: nobody waits for the end of its mount namespace
    }
    int status = 0;
    waitpid(stager.pid, &status, 0);
    stager.pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : ECHILD;
}

static int begin_stager(void) {
    if (stager.pid > 0) {
        waitpid(stager.pid, NULL, 0);
        stager.pid = 0;
    }
    return start_stager();
}

int stage_awaits(void) {
    return stager.socket >= 0 ? stager.socket : filling ? -1 : recipe.moment;
}

int stage_patience(void) {
    return stager.socket < 0 && filling ? 0 : -1;
}

void stage_interrupt(void) {
    filling = false;
}

void stage_continue(void) {
    bool made = true;
    if (stager.socket >= 0) {
        made = finish_stager(&waiting[waiting_count]) == 0;
        waiting_count += made;
    } else if (filling) {
        made = begin_stager() == 0;
    } else {
        uint64_t times;
        filling = read(recipe.moment, &times, sizeof times) > 0;
    }
    // Whoever finds none hears why; the next moment brings the next attempt.
    filling = filling && made && waiting_count < recipe.wanted;
}

int stage_take(struct stage *out) {
    if (waiting_count > 0) {
        *out = waiting[--waiting_count];
        return 0;
    }
    if (recipe.plan == NULL) {
        return EINVAL;
    }
    int error = stager.socket < 0 ? begin_stager() : 0;
    return error != 0 ? error : finish_stager(out);
}

// ---------------------------------------------------------------- the stager

static bool is_stager;

// The recipe's root: an empty file system of the stager's own namespace.
static int make_root(void) {
    scoped_fd fs = sys_fsopen("tmpfs");
    if (fs < 0 || sys_fsconfig(fs, GI_FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
        return fail(errno, "make tmpfs", NULL);
    }
    int mount_fd = sys_fsmount(fs, 0);
    scoped_fd top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mount_fd < 0 || top < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        sys_attach(mount_fd, top) != 0) {
        return fail(errno, "mount the stage's root", NULL);
    }
    set_root(mount_fd);
    return 0;
}

static _Noreturn void run_stager(int socket) {
    is_stager = true;
    dup3(socket, FD_CONTROL, O_CLOEXEC);
    doing(NO_STEP, "stage", "");
    struct bytes plan = {recipe.plan, recipe.plan + recipe.length};
    set_arena(recipe.plan + ((recipe.length + 7) & ~(size_t)7));
    if (make_root() == 0) {
        run_steps(plan);
    }
    warn();
    int error = last_error();
    _exit(error > 0 && error < 256 ? error : EIO);
}

static const struct {
    uint64_t flag;
    const char *path;
} kinds[] = {{CLONE_NEWNET, "/proc/self/ns/net"}, {CLONE_NEWIPC, "/proc/self/ns/ipc"}};
enum { KINDS = sizeof kinds / sizeof *kinds };

int step_park(const struct step *step) {
    struct list paths = step->field[1].list;
    struct stage stage = {.count = 0};
    if (!is_stager || paths.count > STAGE_TREES_MAX) {
        return fail(EINVAL, "park", NULL);
    }
    for (size_t i = 0; i < KINDS; i++) {
        if ((recipe.namespaces & kinds[i].flag) != 0 &&
            (stage.fds[stage.count++] = open(kinds[i].path, O_RDONLY | O_CLOEXEC)) < 0) {
            return fail(errno, "open ", kinds[i].path, NULL);
        }
    }
    for (const char *path; (path = next_text(&paths)) != NULL;) {
        scoped_fd top = open_in_root(path, 0, 0);
        stage.fds[stage.count] = top < 0 ? -1 : sys_open_tree_clone(top, "", true);
        if (stage.fds[stage.count++] < 0) {
            return fail(errno, "open_tree of ", path, NULL);
        }
    }
    if (send_descriptors(FD_CONTROL, "", 1, stage.fds, stage.count) < 0) {
        return fail(errno, "send the stage", NULL);
    }
    _exit(0);
}

// ---------------------------------------------------------------- the supervisor

static struct stage trees;

int stage_enter(const struct stage *stage) {
    size_t next = 0;
    for (size_t i = 0; i < KINDS; i++) {
        if ((recipe.namespaces & kinds[i].flag) != 0) {
            if (setns(stage->fds[next], (int)kinds[i].flag) != 0) {
                return fail(errno, "setns ", kinds[i].path, NULL);
            }
            next++;
        }
    }
    while (next < stage->count) {
        trees.fds[trees.count++] = stage->fds[next++];
    }
    // Ascending, as the kernel gave them out: what lies between them is closed.
    unsigned first = FD_FREE;
    for (size_t i = 0; i < trees.count; i++) {
        unsigned kept = (unsigned)trees.fds[i];
        if (kept > first) {
            sys_close_range(first, kept - 1, 0);
        }
        first = kept + 1;
    }
    sys_close_range(first, UINT32_MAX, 0);
    return 0;
}

int step_attach(const struct step *step) {
    uint64_t index = step->field[1].number;
    const char *path = step->field[2].text;
    if (index >= trees.count || trees.fds[index] < 0) {
        struct decimal buffer;
        return fail(EINVAL, "the stage has no tree ", decimal(&buffer, index), " for ", path, NULL);
    }
    scoped_fd tree = trees.fds[index];
    trees.fds[index] = -1;
    scoped_fd target = open_or_make(path, S_IFDIR | 0755, step->field[3].number != 0 ? GI_RESOLVE_NO_SYMLINKS : 0);
    if (target < 0) {
        return fail(errno, "open ", path, NULL);
    }
    return sys_attach(tree, target) == 0 ? 0 : fail(errno, "move_mount on ", path, NULL);
}
