// SPDX-License-Identifier: Apache-2.0
//
// Programs that the plan starts: the command, and those that run before it.
#include "kernel.h"
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

// The new process: becomes the program, or reports why not. Only the supervisor writes the status.
static _Noreturn void become(const struct step *step, char *const arguments[], char *const environment[]) {
    const char *path = step->field[1].text;
    sys_close_range(FD_CONTROL, UINT32_MAX, GI_CLOSE_RANGE_CLOEXEC);
    umask(022);
    if (apply_late_limits() == 0) {
        sys_signal_mask(0);
        if (strchr(path, '/') != NULL) {
            execve(path, arguments, environment);
        } else if (step->field[4].number != 0 && is_executable_here(path)) {
            syscall(SYS_execveat, AT_FDCWD, path, arguments, environment, 0);
        } else {
            execute_from_path(path, arguments, environment);
        }
        fail(errno, "execute ", path, NULL);
    }
    report();
    _exit(1);
}

int step_command(const struct step *step) {
    char **arguments = text_array(step->field[2].list);
    char **environment = text_array(step->field[3].list);
    const char *path = step->field[1].text;
    pid_t pid = sys_fork();
    if (pid < 0) {
        return fail(errno, "fork for ", path, NULL);
    }
    if (pid == 0) {
        become(step, arguments, environment);
    }
    int status = wait_for(pid);
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
    check_signals();
    pid_t command = sys_fork();
    if (command < 0) {
        return fail(errno, "fork", NULL);
    }
    if (command == 0) {
        become(step, arguments, environment);
    }
    follow(command);
}
