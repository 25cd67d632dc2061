// SPDX-License-Identifier: Apache-2.0
//
// The first process in a container.
#pragma once

#include "plan.h"

#include <stddef.h>
#include <sys/types.h>

// What a request brings, as the spawner received it: all numbers are above FD_STATUS.
struct inherited {
    int control, status, stdio[3];
    const int *tasks;
    size_t tasks_count;
    const struct stage *stage; // NULL: none
};

enum { PLAN_MAX = 8 * 1024 * 1024 };

// Joins the cgroups, reads the plan, executes it. Called in the new process, with all signals blocked
// and all dispositions default.
_Noreturn void supervise(const struct inherited *inherited);

// Checks the plan, then runs its steps. The last one does not come back, so this does only after `fail`.
void run_steps(struct bytes plan);

// Waits until the daemon lets the container's own programs run; ends the start if it went away.
void await_release(void);

// Ends the start if a signal has come: its number is the container's status.
void check_signals(void);

// Waits for a child of a step, which must end before the next step: its wait status.
int wait_for(pid_t child);

// The rest of the supervisor's life: forwards signals to the command, reaps, records its status.
_Noreturn void follow(pid_t command);
