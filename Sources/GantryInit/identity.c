// SPDX-License-Identifier: Apache-2.0
//
// Who the container is and what it may do. Raw system calls: the C library's would try to carry the
// change to other threads, and there are none.
#include "kernel.h"
#include "report.h"
#include "steps.h"

#include <string.h>
#include <sys/prctl.h>

int step_identity(const struct step *step) {
    uid_t uid = (uid_t)step->field[1].number;
    gid_t gid = (gid_t)step->field[2].number;
    struct list groups = step->field[3].list;
    gid_t *array = arena(groups.count * sizeof *array);
    for (size_t i = 0; i < groups.count && next_number(&groups, &array[i]); i++) {
        if (array[i] == UINT32_MAX) {
            return fail(EINVAL, "group 4294967295", NULL);
        }
    }
    if (step->field[4].number != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
        return fail(errno, "keep capabilities", NULL);
    }
    struct decimal buffer;
    if (syscall(SYS_setgid, gid) != 0) {
        return fail(errno, "setgid ", decimal(&buffer, gid), NULL);
    }
    if (syscall(SYS_setgroups, (long)groups.count, array) != 0) {
        return fail(errno, "setgroups", NULL);
    }
    if (syscall(SYS_setuid, uid) != 0) {
        return fail(errno, "setuid ", decimal(&buffer, uid), NULL);
    }
    return 0;
}

#define CAP_SETPCAP 8

// capget(2) and capset(2), version 3: two words of 32 bits, low word first.
struct capability_sets {
    uint64_t effective, permitted, inheritable;
};

struct capability_words {
    uint32_t effective, permitted, inheritable;
};

static const struct {
    uint32_t version;
    int pid;
} capability_header = {0x20080522, 0};

static int get_capabilities(struct capability_sets *sets) {
    struct capability_words words[2];
    if (syscall(SYS_capget, &capability_header, words) != 0) {
        return -1;
    }
    sets->effective = words[0].effective | (uint64_t)words[1].effective << 32;
    sets->permitted = words[0].permitted | (uint64_t)words[1].permitted << 32;
    sets->inheritable = words[0].inheritable | (uint64_t)words[1].inheritable << 32;
    return 0;
}

static int set_capabilities(const struct capability_sets *sets) {
    struct capability_words words[2] = {
        {(uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable},
        {(uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32), (uint32_t)(sets->inheritable >> 32)},
    };
    return (int)syscall(SYS_capset, &capability_header, words);
}

// Drops what is not in `keep` from the bounding set, and gives the bits that this kernel knows.
static int limit_bounding(uint64_t keep, uint64_t *known) {
    *known = 0;
    for (unsigned long number = 0; number < 64; number++) {
        bool keeps = (keep >> number & 1) != 0;
        if (prctl(keeps ? PR_CAPBSET_READ : PR_CAPBSET_DROP, number, 0, 0, 0) < 0) {
            if (errno == EINVAL) {
                break; // behind the kernel's last capability
            }
            struct decimal buffer;
            return fail(errno, "drop capability ", decimal(&buffer, number), " from the bounding set", NULL);
        }
        *known |= 1ULL << number;
    }
    return 0;
}

static int set_ambient(uint64_t ambient) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return fail(errno, "clear ambient capabilities", NULL);
    }
    for (unsigned long number = 0; number < 64; number++) {
        if ((ambient >> number & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) {
            struct decimal buffer;
            return fail(errno, "raise ambient capability ", decimal(&buffer, number), NULL);
        }
    }
    return 0;
}

int step_capabilities(const struct step *step) {
    uint64_t bounding = step->field[1].number, ambient = step->field[5].number, known;
    struct capability_sets sets = {
        .effective = step->field[2].number,
        .permitted = step->field[3].number,
        .inheritable = step->field[4].number,
    };
    if ((ambient & ~(sets.permitted & sets.inheritable)) != 0) {
        return fail(EINVAL, "ambient capabilities must be permitted and inheritable", NULL);
    }
    if ((sets.effective & ~sets.permitted) != 0) {
        return fail(EINVAL, "effective capabilities must be permitted", NULL);
    }
    // setuid cleared the effective set; the bounding set needs SETPCAP.
    struct capability_sets current;
    struct decimal buffer;
    if (get_capabilities(&current) != 0) {
        return fail(errno, "capget", NULL);
    }
    if ((current.effective >> CAP_SETPCAP & 1) == 0 && (current.permitted >> CAP_SETPCAP & 1) != 0) {
        current.effective |= 1ULL << CAP_SETPCAP;
        if (set_capabilities(&current) != 0) {
            return fail(errno, "capset SETPCAP", NULL);
        }
    }
    if (limit_bounding(bounding, &known) != 0) {
        return -1;
    }
    // What this kernel does not know cannot be had, and need not be refused.
    sets.effective &= known;
    sets.permitted &= known;
    sets.inheritable &= known;
    if (set_capabilities(&sets) != 0) {
        int error = errno;
        uint64_t lacking = sets.permitted & ~current.permitted;
        const char *number = lacking == 0 ? "" : decimal(&buffer, (uint64_t)__builtin_ctzll(lacking));
        return fail(error, "capset", lacking == 0 ? "" : ": not held is capability ", number, NULL);
    }
    return set_ambient(ambient & known);
}

int step_no_new_privileges(const struct step *step) {
    (void)step;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : fail(errno, "no_new_privs", NULL);
}

// seccomp(2): struct sock_fprog.
struct filter_program {
    unsigned short count;
    const void *instructions;
};

int step_seccomp(const struct step *step) {
    struct bytes program = step->field[1].bytes;
    size_t length = (size_t)(program.end - program.at);
    if (length == 0 || length % 8 != 0 || length / 8 > UINT16_MAX) {
        return fail(EINVAL, "seccomp program", NULL);
    }
    struct filter_program filter = {(unsigned short)(length / 8), program.at};
    const unsigned set_mode_filter = 1;
    if (syscall(SYS_seccomp, set_mode_filter, (unsigned)step->field[2].number, &filter) != 0) {
        return fail(errno, "load seccomp filter", NULL);
    }
    return 0;
}
