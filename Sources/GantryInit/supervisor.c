// SPDX-License-Identifier: Apache-2.0
#include "supervisor.h"

#include "kernel.h"
#include "paths.h"
#include "plan.h"
#include "report.h"
#include "stage.h"
#include "steps.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct {
    uint8_t *at;
    size_t length, mapped;
} plan;

// Before the command is there, these do not end the start: their default is to do nothing.
static uint64_t harmless(void) {
    return signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) | signal_bit(SIGWINCH);
}

static _Noreturn void stop(int signal) {
    struct decimal buffer;
    doing(NO_STEP, "signal", "");
    fail(EINTR, "signal ", decimal(&buffer, (uint64_t)signal), " before the command was started", NULL);
    report();
    write_status(signal);
    _exit(1);
}

void check_signals(void) {
    siginfo_t info;
    int signal = sys_take_signal(~harmless(), &info, false);
    if (signal > 0) {
        stop(signal);
    }
}

// Gives everything its fixed number, and closes what else the spawner has. None of the numbers is
// among the fixed ones.
static void take_descriptors(const struct inherited *inherited) {
    for (int i = 0; i < 3; i++) {
        dup2(inherited->stdio[i], i);
    }
    dup3(inherited->control, FD_CONTROL, O_CLOEXEC);
    dup3(inherited->status, FD_STATUS, O_CLOEXEC);
}

static void join_cgroups(const struct inherited *inherited) {
    doing(NO_STEP, "join_cgroup", "");
    for (size_t i = 0; i < inherited->tasks_count; i++) {
        if (write(inherited->tasks[i], "0", 1) != 1) {
            struct decimal buffer;
            fail(errno, "write to tasks file ", decimal(&buffer, i), NULL);
            die();
        }
    }
}

static int signals = -1;

// Reads exactly `length` bytes from the daemon; a signal meanwhile ends the start.
static void read_all(void *into, size_t length) {
    uint8_t *at = into;
    while (length > 0) {
        ssize_t count = recv(FD_CONTROL, at, length, MSG_DONTWAIT);
        if (count > 0) {
            at += count;
            length -= (size_t)count;
        } else if (count < 0 && errno == EAGAIN) {
            struct pollfd ready[2] = {{.fd = FD_CONTROL, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
            poll(ready, 2, -1);
            if (ready[1].revents != 0) {
                check_signals();
            }
        } else {
            fail(count == 0 ? ECONNRESET : errno, "the daemon went away before the start was complete", NULL);
            die();
        }
    }
}

static void read_plan(void) {
    doing(NO_STEP, "read_plan", "");
    uint64_t set = ~harmless();
    signals = (int)syscall(SYS_signalfd4, -1, &set, sizeof set, SFD_CLOEXEC);
    if (signals < 0) {
        fail(errno, "signalfd", NULL);
        die();
    }
    uint32_t length;
    read_all(&length, sizeof length);
    if (length > PLAN_MAX) {
        struct decimal buffer;
        fail(EMSGSIZE, "the plan has ", decimal(&buffer, length), " bytes, the limit is 8388608", NULL);
        die();
    }
    plan.length = length;
    plan.mapped = length + arena_size(length);
    plan.at = mmap(NULL, plan.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (plan.at == MAP_FAILED) {
        fail(errno, "mmap", NULL);
        die();
    }
    set_arena(plan.at + ((plan.length + 7) & ~(size_t)7));
    read_all(plan.at, plan.length);
}

void await_release(void) {
    uint8_t byte;
    if (signals >= 0) {
        read_all(&byte, sizeof byte);
        close(signals);
        signals = -1;
    }
}

void run_steps(struct bytes rest) {
    uint64_t kinds;
    if (check_plan(rest, &kinds) != 0 || ((kinds >> MASK & 1) != 0 && open_null_device() != 0)) {
        return;
    }
    struct step step;
    for (uint32_t index = 0; next_step(&rest, &step) == 1; index++) {
        doing(index, step.kind->name, step.origin);
        if (step.kind->run(&step) != 0) {
            return;
        }
    }
}

void supervise(const struct inherited *inherited) {
    prctl(PR_SET_NAME, "gantry-init");
    take_descriptors(inherited);
    join_cgroups(inherited);
    doing(NO_STEP, "enter_stage", "");
    if (inherited->stage == NULL) {
        sys_close_range(FD_FREE, UINT32_MAX, 0);
    } else if (stage_enter(inherited->stage) != 0) {
        die();
    }
    setsid();
    read_plan();
    set_root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    run_steps((struct bytes){plan.at, plan.at + plan.length});
    die();
}

// Reaps all that has ended; true when `child` was among it.
static bool reap(pid_t child, int *status) {
    int any;
    for (pid_t pid; (pid = waitpid(-1, &any, WNOHANG | __WALL)) > 0;) {
        if (pid == child) {
            *status = any;
            return true;
        }
    }
    return false;
}

int wait_for(pid_t child) {
    siginfo_t info;
    int status;
    for (;;) {
        int signal = sys_take_signal(~harmless() | signal_bit(SIGCHLD), &info, true);
        if (signal == SIGCHLD && reap(child, &status)) {
            return status;
        }
        if (signal > 0 && signal != SIGCHLD) {
            kill(child, SIGKILL);
            stop(signal);
        }
    }
}

// What a terminal sends to its foreground group has reached the command already: a second SIGINT would
// be one too many. (A hangup goes to the session's leader only, so it is forwarded.)
static bool is_from_terminal(int signal, const siginfo_t *info) {
    const uint64_t group = signal_bit(SIGINT) | signal_bit(SIGQUIT) | signal_bit(SIGTSTP) | signal_bit(SIGWINCH);
    return info->si_code == SI_KERNEL && (group & signal_bit(signal)) != 0;
}

void follow(pid_t command) {
    // Only the status file stays: nothing of the daemon's is open, and the reader of an output pipe
    // sees its end when the command closes it.
    sys_close_range(0, FD_STATUS - 1, 0);
    sys_close_range(FD_STATUS + 1, UINT32_MAX, 0);
    munmap(plan.at, plan.mapped);
    siginfo_t info;
    int status;
    for (;;) {
        int signal = sys_take_signal(UINT64_MAX, &info, true);
        if (signal == SIGCHLD) {
            if (reap(command, &status)) {
                write_status(status);
                _exit(0);
            }
        } else if (signal > 0 && !is_from_terminal(signal, &info)) {
            kill(command, signal);
        }
    }
}
