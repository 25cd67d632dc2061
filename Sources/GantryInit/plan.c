// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include "report.h"

#include <errno.h>
#include <string.h>

static bool take_varint(struct bytes *in, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70 && in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        if (shift == 63 && byte > 1) {
            return false;
        }
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return true;
        }
    }
    return false;
}

enum wire { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

struct field {
    uint32_t number;
    enum wire wire;
    uint64_t value;     // VARINT
    struct bytes bytes; // LENGTH
};

// Takes one field off the front. Groups are refused.
static bool take_field(struct bytes *in, struct field *field) {
    uint64_t tag, size;
    if (!take_varint(in, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return false;
    }
    field->number = (uint32_t)(tag >> 3);
    field->wire = (enum wire)(tag & 7);
    switch (field->wire) {
    case VARINT:
        return take_varint(in, &field->value);
    case FIXED64:
        size = 8;
        break;
    case FIXED32:
        size = 4;
        break;
    case LENGTH:
        if (!take_varint(in, &size)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (size > (uint64_t)(in->end - in->at)) {
        return false;
    }
    field->bytes = (struct bytes){in->at, in->at + size};
    in->at += size;
    return true;
}

// A text ends in NUL and holds no other.
static const char *as_text(struct bytes bytes) {
    size_t length = (size_t)(bytes.end - bytes.at);
    if (length == 0 || memchr(bytes.at, '\0', length) != bytes.end - 1) {
        return NULL;
    }
    return (const char *)bytes.at;
}

static bool is_packed(struct bytes packed, uint32_t *count) {
    for (uint64_t value; packed.at < packed.end; (*count)++) {
        if (!take_varint(&packed, &value) || value > UINT32_MAX) {
            return false;
        }
    }
    return true;
}

// Takes `field` of a step's message into `step`. NULL, or what is wrong with it.
static const char *take_value(struct step *step, char letter, const struct field *field) {
    bool number = strchr("uUbi", letter) != NULL;
    if (letter == 'N' && field->wire == VARINT) {
        step->field[field->number].list.count++;
        return field->value > UINT32_MAX ? "number out of range" : NULL;
    }
    if (field->wire != (number ? VARINT : LENGTH)) {
        return "wrong wire type";
    }
    switch (letter) {
    case 't':
    case 'o':
        step->field[field->number].text = as_text(field->bytes);
        return step->field[field->number].text == NULL ? "text must end in its only NUL" : NULL;
    case 'T':
        step->field[field->number].list.count++;
        return as_text(field->bytes) == NULL ? "text must end in its only NUL" : NULL;
    case 'N':
        return is_packed(field->bytes, &step->field[field->number].list.count) ? NULL : "number out of range";
    case 'B':
        step->field[field->number].bytes = field->bytes;
        return NULL;
    case 'i':
    case 'u':
        if (field->value > (letter == 'i' ? UINT32_MAX - 1 : UINT32_MAX)) {
            return "number out of range";
        }
        break;
    case 'b':
        step->field[field->number].number = field->value != 0;
        return NULL;
    }
    step->field[field->number].number = field->value;
    return NULL;
}

static int bad_field(const struct step_kind *kind, uint32_t number, const char *what) {
    struct decimal buffer;
    return fail(EBADMSG, "field ", decimal(&buffer, number), " of ", kind->name, ": ", what, NULL);
}

static int decode_message(struct step *step, struct bytes message) {
    const char *schema = step->kind->schema;
    uint32_t last = (uint32_t)strlen(schema);
    for (uint32_t number = 1; number <= last; number++) {
        if (strchr("TN", schema[number - 1]) != NULL) {
            step->field[number].list = (struct list){.message = message, .number = number};
        }
    }
    while (message.at < message.end) {
        struct field field;
        if (!take_field(&message, &field)) {
            return fail(EBADMSG, "malformed ", step->kind->name, NULL);
        }
        if (field.number > last) {
            continue;
        }
        const char *wrong = take_value(step, schema[field.number - 1], &field);
        if (wrong != NULL) {
            return bad_field(step->kind, field.number, wrong);
        }
    }
    for (uint32_t number = 1; number <= last; number++) {
        const char *text = step->field[number].text;
        if (schema[number - 1] == 't' && (text == NULL || text[0] == '\0')) {
            return bad_field(step->kind, number, "missing");
        }
    }
    return 0;
}

static int decode_step(struct step *step, struct bytes in) {
    *step = (struct step){.origin = ""};
    struct bytes message = {NULL, NULL};
    while (in.at < in.end) {
        struct field field;
        if (!take_field(&in, &field) || field.wire != LENGTH) {
            return fail(EBADMSG, "malformed step", NULL);
        }
        if (field.number == 1) {
            step->origin = as_text(field.bytes);
            if (step->origin == NULL) {
                step->origin = "";
                return fail(EBADMSG, "origin must end in its only NUL", NULL);
            }
            continue;
        }
        // An unknown kind must not be skipped: it may be what makes the container safe.
        if (step->kind != NULL) {
            return fail(EBADMSG, "two kinds in one step", NULL);
        }
        step->kind = step_kind_of(field.number);
        if (step->kind == NULL) {
            return fail(EOPNOTSUPP, "step of unknown kind", NULL);
        }
        message = field.bytes;
    }
    if (step->kind == NULL) {
        return fail(EBADMSG, "step without kind", NULL);
    }
    return decode_message(step, message);
}

int next_step(struct bytes *plan, struct step *step) {
    while (plan->at < plan->end) {
        struct field field;
        if (!take_field(plan, &field)) {
            return fail(EBADMSG, "malformed plan", NULL);
        }
        if (field.number != 1) {
            continue;
        }
        if (field.wire != LENGTH) {
            return fail(EBADMSG, "malformed plan", NULL);
        }
        return decode_step(step, field.bytes) == 0 ? 1 : -1;
    }
    return 0;
}

int check_plan(struct bytes plan, uint64_t *kinds) {
    struct step step;
    bool executes = false;
    *kinds = 0;
    int more;
    for (uint32_t index = 0; doing(index, "check_plan", ""), (more = next_step(&plan, &step)) == 1; index++) {
        if (executes) {
            return fail(EBADMSG, "execute or park is not the last step", NULL);
        }
        *kinds |= 1ULL << step.kind->number;
        executes = step.kind->number == EXECUTE || step.kind->number == PARK;
    }
    if (more == 0 && !executes) {
        return fail(EBADMSG, "the plan does not end with execute or park", NULL);
    }
    return more;
}

const char *next_text(struct list *list) {
    struct field field;
    while (list->message.at < list->message.end && take_field(&list->message, &field)) {
        if (field.number == list->number) {
            return as_text(field.bytes);
        }
    }
    return NULL;
}

bool next_number(struct list *list, uint32_t *number) {
    uint64_t value;
    struct field field;
    for (;;) {
        if (list->packed.at < list->packed.end) {
            if (!take_varint(&list->packed, &value)) {
                return false;
            }
            break;
        }
        if (list->message.at == list->message.end || !take_field(&list->message, &field)) {
            return false;
        }
        if (field.number == list->number && field.wire == LENGTH) {
            list->packed = field.bytes;
        } else if (field.number == list->number) {
            value = field.value;
            break;
        }
    }
    *number = (uint32_t)value;
    return true;
}

static uint8_t *arena_at;

void set_arena(void *at) {
    arena_at = at;
}

void *arena(size_t size) {
    void *at = arena_at;
    arena_at += (size + 7) & ~(size_t)7;
    return at;
}

char **text_array(struct list list) {
    char **array = arena((list.count + 1) * sizeof *array);
    size_t count = 0;
    for (const char *text; (text = next_text(&list)) != NULL;) {
        array[count++] = (char *)(uintptr_t)text;
    }
    array[count] = NULL;
    return array;
}
