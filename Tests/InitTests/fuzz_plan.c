// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target for the plan as gantry-init reads it: decode all steps, then walk every list, as the
// steps do. Built by scripts/fuzz-init with libFuzzer, or without it into a program that takes files.
#include "../../Sources/GantryInit/plan.h"
#include "../../Sources/GantryInit/report.h"

#include <stdlib.h>
#include <string.h>

static size_t sum;

// Touches every value of a step; the letters are those of its schema.
static void touch(const struct step *step) {
    const char *schema = step->kind->schema;
    for (size_t number = 1; number <= strlen(schema); number++) {
        switch (schema[number - 1]) {
        case 't':
        case 'o':
            sum += step->field[number].text != NULL ? strlen(step->field[number].text) : 0;
            break;
        case 'T':
            for (char **text = text_array(step->field[number].list); *text != NULL; text++) {
                sum += strlen(*text);
            }
            break;
        case 'N': {
            struct list list = step->field[number].list;
            uint32_t *numbers = arena(list.count * sizeof *numbers), count = 0;
            for (uint32_t value; next_number(&list, &value);) {
                numbers[count++] = value;
            }
            if (count != list.count) {
                abort();
            }
            break;
        }
        case 'B':
            for (const uint8_t *at = step->field[number].bytes.at; at < step->field[number].bytes.end; at++) {
                sum += *at;
            }
            break;
        default:
            sum += step->field[number].number;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // As the supervisor lays it out: the plan, then the arena, and nothing behind them.
    size_t start = (size + 7) & ~(size_t)7;
    uint8_t *plan = malloc(start + arena_size(size));
    memcpy(plan, data, size);
    set_arena(plan + start);
    struct bytes rest = {plan, plan + size};
    struct step step;
    uint64_t kinds;
    int checked = check_plan(rest, &kinds);
    int more;
    while ((more = next_step(&rest, &step)) == 1) {
        touch(&step);
    }
    if (checked == 0 && more != 0) {
        abort();
    }
    free(plan);
    return 0;
}
