// SPDX-License-Identifier: Apache-2.0
//
// Programs that the plan starts: the command, and those that run before it.
#include "kernel.h"
#include "paths.h"
#include "report.h"
#include "steps.h"
#include "supervisor.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *search_path(char *const environment[]) {
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, "PATH=", 5) == 0) {
            return *environment + 5;
        }
    }
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

// Tries each directory of PATH. Comes back with errno: EACCES if there was one that may not be
// executed, as execvp(3) does.
static void execute_from_path(const char *name, char *const arguments[], char *const environment[]) {
    char path[PATH_MAX];
    size_t length = strlen(name);
    int error = ENOENT;
    for (const char *at = search_path(environment), *end;; at = end + 1) {
        end = at + strcspn(at, ":");
        // An empty element is the working directory.
        const char *directory = end > at ? at : ".";
        size_t prefix = end > at ? (size_t)(end - at) : 1;
        if (prefix + 1 + length < sizeof path) {
            memcpy(path, directory, prefix);
            path[prefix] = '/';
            memcpy(path + prefix + 1, name, length + 1);
            execve(path, arguments, environment);
            if (errno == EACCES) {
                error = EACCES;
            } else if (errno != ENOENT && errno != ENOTDIR) {
                return;
            }
        }
        if (*end == '\0') {
            errno = error;
            return;
        }
    }
}

static bool is_executable_here(const char *name) {
    struct stat about;
    return stat(name, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 0111) != 0;
}

// In the new process: becomes the program, or comes back with errno.
static void become(const struct step *step, char *const arguments[], char *const environment[]) {
    const char *path = step->field[1].text;
    sys_close_range(FD_CONTROL, UINT32_MAX, GI_CLOSE_RANGE_CLOEXEC);
    umask(022);
    sys_signal_mask(0);
    if (strchr(path, '/') != NULL) {
        execve(path, arguments, environment);
    } else if (step->field[4].number != 0 && is_executable_here(path)) {
        syscall(SYS_execveat, AT_FDCWD, path, arguments, environment, 0);
    } else {
        execute_from_path(path, arguments, environment);
    }
    // No signal may keep the failure from being told: SIGXFSZ, when stderr is a file at its limit.
    sys_signal_mask(UINT64_MAX);
}

// The program of a `command` step: errno goes through a pipe that exec closes, since the supervisor,
// which goes on, is the one that reports.
static _Noreturn void run_command(const struct step *step, char *const arguments[], char *const environment[],
                                  int failed) {
    become(step, arguments, environment);
    int error = errno;
    ssize_t ignored = write(failed, &error, sizeof error);
    (void)ignored;
    _exit(1);
}

int step_command(const struct step *step) {
    char **arguments = text_array(step->field[2].list);
    char **environment = text_array(step->field[3].list);
    const char *path = step->field[1].text;
    int failed[2], error;
    await_release();
    if (pipe2(failed, O_CLOEXEC) != 0) {
        return fail(errno, "pipe for ", path, NULL);
    }
    scoped_fd read_end = failed[0];
    pid_t pid = sys_fork();
    if (pid == 0) {
        run_command(step, arguments, environment, failed[1]);
    }
    error = errno;
    close(failed[1]);
    if (pid < 0) {
        return fail(error, "fork for ", path, NULL);
    }
    int status = wait_for(pid);
    if (read(read_end, &error, sizeof error) == (ssize_t)sizeof error) {
        return fail(error, "execute ", path, NULL);
    }
    struct decimal buffer;
    if (WIFSIGNALED(status)) {
        return fail(ECANCELED, path, " was ended by signal ", decimal(&buffer, (uint64_t)WTERMSIG(status)), NULL);
    }
    if (status != 0) {
        return fail(ECANCELED, path, " ended with ", decimal(&buffer, (uint64_t)WEXITSTATUS(status)), NULL);
    }
    return 0;
}

int step_execute(const struct step *step) {
    char **arguments = text_array(step->field[2].list);
    char **environment = text_array(step->field[3].list);
    await_release();
    check_signals();
    pid_t command = sys_fork();
    if (command < 0) {
        return fail(errno, "fork", NULL);
    }
    if (command > 0) {
        follow(command);
    }
    if (apply_late_limits() == 0) {
        become(step, arguments, environment);
        fail(errno, "execute ", step->field[1].text, NULL);
    }
    // Only the supervisor writes the status file: it sees this exit code.
    report();
    _exit(1);
}
