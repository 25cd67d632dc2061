// SPDX-License-Identifier: Apache-2.0
//
// What gantryd and the spawner say to each other, on a SOCK_SEQPACKET pair. docs/protocol.md.
// Little-endian, packed, of fixed size; a change of layout is a change of SPAWN_VERSION.
#pragma once

#include <stdint.h>

enum {
    SPAWN_VERSION = 3,
    // The spawner's end of the pair.
    SPAWN_SOCKET = 3,
    // At most so many v1 `tasks` files in one request.
    SPAWN_TASKS_MAX = 32,
};

// spawn_request.flags
enum {
    // A cgroup2 directory for CLONE_INTO_CGROUP is among the descriptors.
    SPAWN_HAS_CGROUP = 1,
    // A pidfd, whose namespaces (`enter`) are entered first, is among the descriptors.
    SPAWN_HAS_ENTER = 2,
    // The container takes a stage: its namespaces, besides those of `namespaces`, and its trees.
    SPAWN_STAGED = 4,
    // No container: the recipe of stages in the first descriptor, the eventfd that asks for them in the
    // second; `namespaces` are the stages', and `stages` of them shall wait.
    SPAWN_RECIPE = 8,
};

// Its descriptors (SCM_RIGHTS), in this order: control socket, status file, stdin, stdout, stderr,
// [cgroup2 directory], [pidfd to enter], then `tasks` v1 `tasks` files open for writing.
struct spawn_request {
    uint32_t version;
    uint32_t flags;
    uint64_t namespaces; // CLONE_NEW* bits for clone3
    uint64_t enter;      // CLONE_NEW* bits for setns on the pidfd; 0 without one
    uint32_t tasks;      // number of v1 `tasks` files
    uint32_t stages;     // with SPAWN_RECIPE; else 0
} __attribute__((packed));

enum spawn_step {
    SPAWN_DONE = 0,
    SPAWN_REQUEST = 1, // the request is malformed
    SPAWN_ENTER = 2,   // setns
    SPAWN_CLONE = 3,   // clone3
    SPAWN_ANSWER = 4,  // the pidfd could not be sent; the child was killed
    SPAWN_STAGE = 5,   // no stage could be made; the reason is also a line on stderr
};

// With pid > 0 the pidfd is attached (SCM_RIGHTS). With helper > 0 there was a process between spawner
// and supervisor; it is the receiver's child too, is about to end, and is to be reaped.
struct spawn_answer {
    uint32_t version;
    int32_t pid;   // in the spawner's own pid namespace; 0 on failure
    int32_t error; // errno, 0 on success
    uint32_t step; // enum spawn_step
    int32_t helper;
} __attribute__((packed));

_Static_assert(sizeof(struct spawn_request) == 32, "layout");
_Static_assert(sizeof(struct spawn_answer) == 20, "layout");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "layout");
