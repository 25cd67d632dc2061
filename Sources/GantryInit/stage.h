// SPDX-License-Identifier: Apache-2.0
//
// Stages: what is the same for many containers, made before one asks for it. A stage is a set of
// namespaces and of detached mount trees, held by descriptors alone. No process lives in it, it holds
// nothing of the host, and whoever takes it is the only one that it ever serves.
//
// A recipe, which is a plan that ends in `park`, is run by a process of its own (the stager) in new
// namespaces, on an empty root. `park` sends the descriptors to the spawner, and the stager ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STAGE_TREES_MAX = 8,
    STAGE_FDS_MAX = 2 + STAGE_TREES_MAX,
    STAGES_MAX = 64,
};

// Descriptors in ascending order: the namespaces (net, ipc: those that the recipe has), then the trees.
struct stage {
    size_t count;
    int fds[STAGE_FDS_MAX];
};

// In the spawner.

// Sets the recipe, once: the plan in `fd`, the CLONE_NEW* bits, how many stages shall wait. They are made
// each time that the eventfd `moment` is readable. 0 or errno; the descriptors stay the caller's.
int stage_set_recipe(int fd, int moment, uint64_t namespaces, uint32_t wanted);
bool stage_has_recipe(void);
// The namespaces that a stage brings.
uint64_t stage_namespaces(void);
// What poll(2) shall wait for besides requests, and for how many milliseconds (-1: without a limit).
int stage_awaits(void);
int stage_patience(void);
// That descriptor is readable, or the time is over.
void stage_continue(void);
// A request came: no further stage before the next moment.
void stage_interrupt(void);
// A stage, made now if none waits. 0 or errno; the descriptors are the caller's.
int stage_take(struct stage *out);
void stage_close(struct stage *stage);

// In the supervisor: enters the namespaces, keeps the trees for `attach`. 0 or -1 after `fail`.
int stage_enter(const struct stage *stage);
