// SPDX-License-Identifier: Apache-2.0
//
// How a container's start fails: a step fails with `fail`, and its caller ends the process with `die`.
#pragma once

#include <stdint.h>

// The supervisor's descriptors.
enum {
    FD_CONTROL = 3, // until the command is forked
    FD_STATUS = 4,
    FD_FREE = 5,
};

// Report.step when no step of the plan is to blame.
enum { NO_STEP = UINT32_MAX };

// Keeps `error` and what failed: the texts up to the NULL, one after the other. Returns -1.
int fail(int error, ...) __attribute__((sentinel));

// What is being done now, for the report.
void doing(uint32_t step, const char *name, const char *origin);

// The errno of the last `fail`.
int last_error(void);

// One line on stderr about the last `fail`.
void warn(void);

// Sends the report about the last `fail`, and writes the line.
void report(void);

// `report`, the status file, exit code 1.
_Noreturn void die(void);

// Writes the wait status to the status file, in decimal.
void write_status(int status);

// `value` in decimal, in a buffer of the caller.
struct decimal {
    char text[24];
};
const char *decimal(struct decimal *buffer, uint64_t value);
