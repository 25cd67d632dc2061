// SPDX-License-Identifier: Apache-2.0
//
// The strict reader of gantry.init.v1.Plan. It reads in place: texts point into the plan, lists are
// walked again where they are used, nothing is allocated.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *at, *end;
};

// The elements of one repeated field, to be taken with next_text or next_number.
struct list {
    struct bytes message, packed;
    uint32_t number;
    uint32_t count;
};

enum { FIELDS_MAX = 8 };

struct step {
    const struct step_kind *kind;
    const char *origin; // "" if left out
    // By field number in the step's message; [0] is not used.
    union {
        const char *text; // NULL if an optional text was left out
        uint64_t number;
        struct list list;
        struct bytes bytes;
    } field[FIELDS_MAX];
};

// A row of the step table (steps.c).
struct step_kind {
    uint32_t number;                     // in the oneof Step.kind
    const char *name;                    // as in Step.kind; stable, it is part of reports
    const char *schema;                  // one letter for each field of the message, in the order of their numbers:
                                         //   t text     o text that may be left out    T texts (repeated)
                                         //   u uint32   U uint64   b bool              N uint32s (repeated)
                                         //   i id: uint32 but not 4294967295           B any bytes
    int (*run)(const struct step *step); // 0, or the result of `fail`
};

// The kind with this number, or NULL.
const struct step_kind *step_kind_of(uint32_t number);

// Takes the next step off the front of `plan` and decodes it: 1, 0 at the end, or -1 after `fail`.
int next_step(struct bytes *plan, struct step *step);

// Numbers of kinds that the rest of the program has to know.
enum { MASK = 10, EXECUTE = 20, PARK = 26 };

// Decodes every step, and checks what holds for the plan as a whole; `kinds` gets a bit for each
// kind's number. 0, or -1 after `fail`.
int check_plan(struct bytes plan, uint64_t *kinds);

// The next element; NULL or false behind the last.
const char *next_text(struct list *list);
bool next_number(struct list *list, uint32_t *number);

// Room for pointers or numbers made from a list, after the plan; it is never given back.
void set_arena(void *at);
void *arena(size_t size);
// Bytes of arena that a plan of so many bytes needs at most: a text of at least 3 bytes becomes a
// pointer, a number of at least 1 byte becomes four, and each list may add one NULL.
static inline size_t arena_size(size_t plan) {
    return 5 * plan + 256;
}
// The texts of `list`, with a NULL behind them.
char **text_array(struct list list);
