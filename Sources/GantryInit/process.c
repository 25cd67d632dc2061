// SPDX-License-Identifier: Apache-2.0
//
// Namespaces' contents, the terminal and the limits.
#include "kernel.h"
#include "paths.h"
#include "report.h"
#include "steps.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

int step_cgroup_namespace(const struct step *step) {
    (void)step;
    return unshare(CLONE_NEWCGROUP) == 0 ? 0 : fail(errno, "unshare cgroup namespace", NULL);
}

int step_hostname(const struct step *step) {
    const char *name = step->field[1].text;
    return sethostname(name, strlen(name)) == 0 ? 0 : fail(errno, "sethostname ", name, NULL);
}

int step_loopback(const struct step *step) {
    (void)step;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    scoped_fd any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request) != 0) {
        return fail(errno, "bring lo up", NULL);
    }
    return 0;
}

int step_terminal(const struct step *step) {
    (void)step;
    return ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0 ? 0 : fail(errno, "make stdin the controlling terminal", NULL);
}

// The command's RLIMIT_FSIZE. The supervisor must not have it: it could not write the exit status.
static struct rlimit file_size;
static bool has_file_size;

static int limit_file_size(const struct rlimit *limit) {
    struct rlimit current;
    if (limit->rlim_cur > limit->rlim_max) {
        errno = EINVAL;
        return -1;
    }
    file_size = *limit;
    has_file_size = true;
    // Raising needs privileges that the command will not have; lowering needs none.
    if (getrlimit(RLIMIT_FSIZE, &current) != 0 || limit->rlim_max <= current.rlim_max) {
        return 0;
    }
    current.rlim_max = limit->rlim_max;
    return setrlimit(RLIMIT_FSIZE, &current);
}

int step_resource_limit(const struct step *step) {
    int resource = (int)step->field[1].number;
    struct rlimit limit = {.rlim_cur = step->field[2].number, .rlim_max = step->field[3].number};
    if ((resource == RLIMIT_FSIZE ? limit_file_size(&limit) : (int)syscall(SYS_prlimit64, 0, resource, &limit, NULL)) !=
        0) {
        struct decimal buffer;
        return fail(errno, "set resource limit ", decimal(&buffer, step->field[1].number), NULL);
    }
    return 0;
}

int apply_late_limits(void) {
    if (has_file_size && setrlimit(RLIMIT_FSIZE, &file_size) != 0) {
        return fail(errno, "set file size limit", NULL);
    }
    return 0;
}
