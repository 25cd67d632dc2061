// SPDX-License-Identifier: Apache-2.0
//
// The first process in a container.
#pragma once

#include <stddef.h>
#include <sys/types.h>

// What a request brings, as the spawner received it: all numbers are above FD_STATUS.
struct inherited {
    int control, status, stdio[3];
    const int *tasks;
    size_t tasks_count;
};

// Joins the cgroups, reads the plan, executes it. Called in the new process, with all signals blocked
// and all dispositions default.
_Noreturn void supervise(const struct inherited *inherited);

// Ends the start if a signal has come: its number is the container's status.
void check_signals(void);

// Waits for a child of a step, which must end before the next step: its wait status.
int wait_for(pid_t child);

// The rest of the supervisor's life: forwards signals to the command, reaps, records its status.
_Noreturn void follow(pid_t command);
