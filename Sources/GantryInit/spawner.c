// SPDX-License-Identifier: Apache-2.0
//
// The spawner: takes requests, clones supervisors. Single-threaded, allocates nothing, blocks all
// signals: it ends when gantryd closes the socket.
#include "spawner.h"

#include "kernel.h"
#include "passing.h"
#include "report.h"
#include "request.h"
#include "stage.h"
#include "supervisor.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

extern char **environ;

#define NAMESPACES                                                                                                     \
    (uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
               CLONE_NEWNET | CLONE_NEWTIME)
// User namespaces are not entered: the way back would be closed.
#define ENTERED (NAMESPACES & ~(uint64_t)(CLONE_NEWUSER | CLONE_NEWTIME))

enum {
    FIXED_FDS = 5, // control, status, stdin, stdout, stderr
    FDS_MAX = FIXED_FDS + 2 + SPAWN_TASKS_MAX,
};
_Static_assert((int)FDS_MAX <= (int)PASSED_MAX, "the descriptors of one message");

struct received {
    struct spawn_request request;
    ssize_t length;
    int flags;
    size_t count;
    int fds[FDS_MAX];
};

static void close_received(struct received *in) {
    while (in->count > 0) {
        close(in->fds[--in->count]);
    }
}

// False at the end of the socket.
static bool receive(struct received *in) {
    in->count = FDS_MAX;
    in->length = receive_descriptors(SPAWN_SOCKET, &in->request, sizeof in->request, in->fds, &in->count, &in->flags);
    if (in->length < 0) {
        return false;
    }
    if (in->length == 0) {
        // An empty message looks like the end; only the end hangs up.
        struct pollfd ready = {.fd = SPAWN_SOCKET, .events = POLLRDHUP};
        return poll(&ready, 1, 0) == 0 || (ready.revents & (POLLRDHUP | POLLHUP)) == 0;
    }
    return true;
}

static bool is_valid(const struct received *in) {
    const struct spawn_request *request = &in->request;
    bool cgroup = (request->flags & SPAWN_HAS_CGROUP) != 0, enter = (request->flags & SPAWN_HAS_ENTER) != 0;
    bool staged = (request->flags & SPAWN_STAGED) != 0;
    return (request->flags & ~(uint32_t)(SPAWN_HAS_CGROUP | SPAWN_HAS_ENTER | SPAWN_STAGED)) == 0 &&
           (request->namespaces & ~NAMESPACES) == 0 && (request->enter & ~ENTERED) == 0 &&
           enter == (request->enter != 0) && request->stages == 0 && request->tasks <= SPAWN_TASKS_MAX &&
           in->count == FIXED_FDS + (size_t)cgroup + (size_t)enter + request->tasks &&
           // What a stage brings is not made again, and a container enters one set of namespaces or the other.
           (!staged || (stage_has_recipe() && !enter && (request->namespaces & stage_namespaces()) == 0));
}

static bool is_whole(const struct received *in) {
    return in->length == sizeof in->request && (in->flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
           in->request.version == SPAWN_VERSION;
}

// What came of a request.
struct outcome {
    pid_t pid, helper;
    int pidfd, error;
    enum spawn_step step;
};

static void send_answer(const struct outcome *outcome) {
    struct spawn_answer answer = {.version = SPAWN_VERSION,
                                  .pid = outcome->pid,
                                  .error = outcome->error,
                                  .step = outcome->step,
                                  .helper = outcome->helper};
    int pidfd = outcome->pidfd;
    if (send_descriptors(SPAWN_SOCKET, &answer, sizeof answer, &pidfd, pidfd >= 0) >= 0) {
        return;
    }
    if (pidfd >= 0) {
        // A container that the daemon does not know must not be. If the daemon is gone, the next
        // receive says so.
        struct outcome lost = {.pidfd = -1, .error = errno, .step = SPAWN_ANSWER, .helper = outcome->helper};
        sys_pidfd_kill(pidfd, SIGKILL);
        send_answer(&lost);
    }
}

// The namespaces that the spawner belongs to, for the way back.
static const struct {
    int flag;
    const char *path;
} own[] = {
    {CLONE_NEWCGROUP, "/proc/self/ns/cgroup"}, {CLONE_NEWIPC, "/proc/self/ns/ipc"}, {CLONE_NEWUTS, "/proc/self/ns/uts"},
    {CLONE_NEWNET, "/proc/self/ns/net"},       {CLONE_NEWPID, "/proc/self/ns/pid"}, {CLONE_NEWNS, "/proc/self/ns/mnt"},
};
enum { OWN = sizeof own / sizeof *own };
static int own_fds[OWN];

static void open_own_namespaces(void) {
    for (size_t i = 0; i < OWN; i++) {
        own_fds[i] = open(own[i].path, O_RDONLY | O_CLOEXEC);
    }
}

// Enters the namespaces of the process behind `pidfd`: all or none (setns(2) with several flags).
static int enter(int pidfd, uint64_t namespaces) {
    for (size_t i = 0; i < OWN; i++) {
        if ((namespaces & (uint64_t)own[i].flag) != 0 && own_fds[i] < 0) {
            // This kernel lacks it, or /proc is missing: there would be no way back.
            errno = ENOSYS;
            return -1;
        }
    }
    return namespaces == 0 ? 0 : setns(pidfd, (int)namespaces);
}

static void leave(uint64_t namespaces) {
    for (size_t i = 0; i < OWN; i++) {
        if ((namespaces & (uint64_t)own[i].flag) != 0 && setns(own_fds[i], own[i].flag) != 0) {
            // Half inside of a container: no further request may be served here.
            _exit(1);
        }
    }
}

// The number of the process behind `pidfd`, in the spawner's pid namespace; 0 if it has ended.
static pid_t pid_of(int pidfd) {
    struct decimal buffer;
    char path[64] = "/proc/self/fdinfo/", info[512];
    strcat(path, decimal(&buffer, (uint64_t)pidfd));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, info, sizeof info - 1);
    close(fd);
    info[length < 0 ? 0 : length] = '\0';
    const char *at = strstr(info, "\nPid:\t");
    pid_t pid = 0;
    for (at = at == NULL ? "" : at + 6; *at >= '0' && *at <= '9'; at++) {
        pid = pid * 10 + (*at - '0');
    }
    return pid;
}

// Shared with the helper process, which is forked.
static struct outcome *shared;

// Clones; true in the new process. A pid namespace below one that was entered takes a process that is
// in the entered one: its clone then is gantryd's child as well, as both have CLONE_PARENT.
static bool clone_here(struct gi_clone_args *args, struct outcome *outcome, bool below_entered) {
    if (!below_entered) {
        args->pidfd = (uint64_t)(uintptr_t)&outcome->pidfd;
        outcome->pid = sys_clone3(args);
        outcome->error = outcome->pid < 0 ? errno : 0;
        return outcome->pid == 0;
    }
    // CLONE_FILES: the pidfd comes to be in the spawner's table too. CLONE_VFORK: wait for its end.
    struct gi_clone_args helper = {.flags = CLONE_PARENT | CLONE_VFORK | CLONE_FILES};
    *shared = (struct outcome){.pidfd = -1, .error = ECHILD};
    pid_t pid = sys_clone3(&helper);
    if (pid < 0) {
        outcome->error = errno;
        return false;
    }
    if (pid > 0) {
        outcome->pidfd = shared->pidfd;
        outcome->error = shared->error;
        outcome->helper = pid;
        return false;
    }
    args->pidfd = (uint64_t)(uintptr_t)&shared->pidfd;
    pid = sys_clone3(args);
    if (pid == 0) {
        return true;
    }
    shared->error = pid < 0 ? errno : 0;
    _exit(0);
}

// The descriptors behind the fixed ones, in their order.
struct extra {
    int cgroup, target;
    const int *tasks;
};

static struct extra extra_descriptors(const struct received *in) {
    size_t next = FIXED_FDS;
    struct extra extra = {-1, -1, NULL};
    if ((in->request.flags & SPAWN_HAS_CGROUP) != 0) {
        extra.cgroup = in->fds[next++];
    }
    if ((in->request.flags & SPAWN_HAS_ENTER) != 0) {
        extra.target = in->fds[next++];
    }
    extra.tasks = in->fds + next;
    return extra;
}

static struct outcome take_recipe(const struct received *in) {
    const struct spawn_request *request = &in->request;
    bool valid = request->flags == SPAWN_RECIPE && request->enter == 0 && request->tasks == 0 && in->count == 2;
    int error = valid ? stage_set_recipe(in->fds[0], in->fds[1], request->namespaces, request->stages) : EINVAL;
    return (struct outcome){.pidfd = -1, .error = error, .step = error == 0 ? SPAWN_DONE : SPAWN_REQUEST};
}

static struct outcome spawn(const struct received *in) {
    const struct spawn_request *request = &in->request;
    struct outcome outcome = {.pidfd = -1, .error = EINVAL, .step = SPAWN_REQUEST};
    if (!is_valid(in)) {
        return outcome;
    }
    struct stage stage = {.count = 0};
    bool staged = (request->flags & SPAWN_STAGED) != 0;
    int error = staged ? stage_take(&stage) : 0;
    if (error != 0) {
        outcome.error = error;
        outcome.step = SPAWN_STAGE;
        return outcome;
    }
    struct extra extra = extra_descriptors(in);
    bool has_cgroup = extra.cgroup >= 0;
    struct gi_clone_args args = {
        // The parent is gantryd, so that it can wait for the supervisor, and the spawner need not.
        .flags = request->namespaces | CLONE_PARENT | CLONE_PIDFD | (has_cgroup ? GI_CLONE_INTO_CGROUP : 0),
        .cgroup = has_cgroup ? (uint64_t)extra.cgroup : 0,
    };
    if (enter(extra.target, request->enter) != 0) {
        outcome.error = errno;
        outcome.step = SPAWN_ENTER;
        return outcome;
    }
    bool below_entered = (request->enter & request->namespaces & CLONE_NEWPID) != 0;
    if (clone_here(&args, &outcome, below_entered)) {
        supervise(&(struct inherited){
            .control = in->fds[0],
            .status = in->fds[1],
            .stdio = {in->fds[2], in->fds[3], in->fds[4]},
            .tasks = extra.tasks,
            .tasks_count = request->tasks,
            .stage = staged ? &stage : NULL,
        });
    }
    stage_close(&stage);
    leave(request->enter);
    outcome.step = SPAWN_DONE;
    if (outcome.helper > 0 && outcome.error == 0) {
        // The helper knows the number in its own namespace only; here /proc is the host's again.
        outcome.pid = pid_of(outcome.pidfd);
    }
    if (outcome.error != 0) {
        // The kernel may have written a number that it took back.
        outcome.pidfd = -1;
        outcome.pid = 0;
        outcome.step = SPAWN_CLONE;
    }
    return outcome;
}

// Stages are made while no request waits. False when the socket cannot be waited for.
static bool wait_for_request(void) {
    for (;;) {
        struct pollfd ready[2] = {{.fd = SPAWN_SOCKET, .events = POLLIN}, {.fd = stage_awaits(), .events = POLLIN}};
        int count = poll(ready, 2, stage_patience());
        if (count < 0) {
            return false;
        }
        if (ready[0].revents != 0) {
            stage_interrupt();
            return true;
        }
        stage_continue();
    }
}

// All numbers below FD_FREE are taken, so that a received descriptor never has one of them.
static bool reserve_descriptors(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd < FD_FREE);
    if (fd < 0) {
        return false;
    }
    return sys_close_range(FD_FREE, UINT32_MAX, 0) == 0;
}

// Nothing of the daemon's environment may be read in a container's /proc/1/environ.
static void wipe_environment(void) {
    for (char **variable = environ; *variable != NULL; variable++) {
        memset(*variable, 0, strlen(*variable));
    }
}

int run_spawner(void) {
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(SPAWN_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        return 2;
    }
    prctl(PR_SET_NAME, "gantry-spawner");
    // Whoever enters a container must not be traced or opened by it (CVE-2016-9962).
    prctl(PR_SET_DUMPABLE, 0);
    // Supervisors inherit this: no moment when a signal would have its default effect, and nothing
    // ignored because the daemon ignores it.
    sys_signal_mask(UINT64_MAX);
    for (int signal = 1; signal <= 64; signal++) {
        struct {
            uint64_t handler, flags, restorer, mask;
        } none = {0, 0, 0, 0};
        syscall(SYS_rt_sigaction, signal, &none, NULL, sizeof none.mask);
    }
    umask(0);
    wipe_environment();
    if (!reserve_descriptors() || chdir("/") != 0) {
        return 1;
    }
    open_own_namespaces();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 1;
    }
    struct received in;
    while (wait_for_request() && receive(&in)) {
        struct outcome outcome = {.pidfd = -1, .error = EINVAL, .step = SPAWN_REQUEST};
        if (is_whole(&in)) {
            outcome = (in.request.flags & SPAWN_RECIPE) != 0 ? take_recipe(&in) : spawn(&in);
        }
        send_answer(&outcome);
        close_received(&in);
        if (outcome.pidfd >= 0) {
            close(outcome.pidfd);
        }
    }
    return 0;
}
