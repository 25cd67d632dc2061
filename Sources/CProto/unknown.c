/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

/*
 * Unknown fields: undeclared numbers, declared numbers with another wire type, undeclared values of closed enums. They
 * are appended to one run of bytes a message, with tags, lengths and integers brought into their shortest form, which
 * is how the reference encodes them again.
 */

struct run {
    ProtobufCMessageUnknownField field;
    size_t capacity;
};

static struct run *run_of(struct decoder *d, ProtobufCMessage *message) {
    if (message->n_unknown_fields != 0)
        return (struct run *)message->unknown_fields;
    struct run *run = (struct run *)cp_alloc(d->arena, sizeof *run);
    if (run == NULL)
        return NULL;
    memset(run, 0, sizeof *run);
    message->n_unknown_fields = 1;
    message->unknown_fields = &run->field;
    return run;
}

/* Room for `size` more bytes at the end of the run. Doubles, so that many small fields cost linear time. */
static uint8_t *room(struct decoder *d, ProtobufCMessage *message, size_t size) {
    struct run *run = run_of(d, message);
    if (run == NULL)
        return NULL;
    if (run->capacity - run->field.len < size) {
        size_t capacity = run->field.len + size;
        capacity = capacity < 32 ? 32 : capacity * 2;
        uint8_t *data = (uint8_t *)cp_alloc(d->arena, capacity);
        if (data == NULL)
            return NULL;
        if (run->field.len != 0)
            memcpy(data, run->field.data, run->field.len);
        run->field.data = data;
        run->capacity = capacity;
    }
    return run->field.data + run->field.len;
}

/* Closes the gap between what `room` was asked for and what was written. */
static void commit(ProtobufCMessage *message, const uint8_t *written_to) {
    message->unknown_fields->len = (size_t)(written_to - message->unknown_fields->data);
}

static bool keep_varint(struct decoder *d, ProtobufCMessage *message, uint32_t tag, uint64_t value) {
    uint8_t *to = room(d, message, 15);
    if (to == NULL)
        return false;
    commit(message, put_varint(put_varint(to, tag), value));
    return true;
}

static bool keep_bytes(struct decoder *d, ProtobufCMessage *message, uint32_t tag, const uint8_t *bytes, size_t size) {
    uint8_t *to = room(d, message, 5 + size);
    if (to == NULL)
        return false;
    to = put_varint(to, tag);
    if (size != 0)
        memcpy(to, bytes, size);
    commit(message, to + size);
    return true;
}

bool keep_unknown_enum(struct decoder *d, ProtobufCMessage *message, uint32_t number, uint64_t value) {
    return keep_varint(d, message, number << 3 | WIRE_VARINT, value);
}

static const uint8_t *keep_length(struct decoder *d, ProtobufCMessage *message, uint32_t tag, const uint8_t *p,
                                  const uint8_t *end) {
    size_t size;
    const uint8_t *bytes = read_length(d, p, end, &size);
    if (bytes == NULL)
        return NULL;
    uint8_t *to = room(d, message, 10 + size);
    if (to == NULL)
        return fail(d, CP_NO_MEMORY, p);
    to = put_varint(put_varint(to, tag), size);
    if (size != 0)
        memcpy(to, bytes, size);
    commit(message, to + size);
    return bytes + size;
}

static const uint8_t *keep_fixed(struct decoder *d, ProtobufCMessage *message, uint32_t tag, const uint8_t *p,
                                 const uint8_t *end, size_t size) {
    if ((size_t)(end - p) < size)
        return fail(d, CP_TRUNCATED, end);
    if (!keep_bytes(d, message, tag, p, size))
        return fail(d, CP_NO_MEMORY, p);
    return p + size;
}

static const uint8_t *keep_group(struct decoder *d, ProtobufCMessage *message, uint32_t tag, const uint8_t *p,
                                 const uint8_t *end, unsigned level) {
    if (level >= CP_MAX_DEPTH)
        return fail(d, CP_TOO_DEEP, p);
    if (!keep_bytes(d, message, tag, NULL, 0))
        return fail(d, CP_NO_MEMORY, p);
    for (;;) {
        const uint8_t *start = p;
        uint32_t inner;
        p = read_tag(d, p, end, &inner);
        if (p == NULL)
            return NULL;
        if ((inner & 7) == WIRE_END_GROUP) {
            if (inner >> 3 != tag >> 3)
                return fail(d, CP_BAD_GROUP, start);
            return keep_bytes(d, message, inner, NULL, 0) ? p : fail(d, CP_NO_MEMORY, start);
        }
        p = keep_unknown(d, message, inner, p, end, level + 1);
        if (p == NULL)
            return NULL;
    }
}

const uint8_t *keep_unknown(struct decoder *d, ProtobufCMessage *message, uint32_t tag, const uint8_t *p,
                            const uint8_t *end, unsigned level) {
    if (tag >> 3 == 0)
        return fail(d, CP_BAD_FIELD_NUMBER, p);
    switch (tag & 7) {
    case WIRE_VARINT: {
        uint64_t value;
        const uint8_t *next = read_varint(d, p, end, &value);
        if (next == NULL)
            return NULL;
        return keep_varint(d, message, tag, value) ? next : fail(d, CP_NO_MEMORY, p);
    }
    case WIRE_64:
        return keep_fixed(d, message, tag, p, end, 8);
    case WIRE_LENGTH:
        return keep_length(d, message, tag, p, end);
    case WIRE_GROUP:
        return keep_group(d, message, tag, p, end, level);
    case WIRE_END_GROUP:
        return fail(d, CP_BAD_GROUP, p);
    case WIRE_32:
        return keep_fixed(d, message, tag, p, end, 4);
    default:
        return fail(d, CP_BAD_WIRE_TYPE, p);
    }
}

static const uint8_t *skip_field(struct decoder *d, uint32_t tag, const uint8_t *p, const uint8_t *end, unsigned level);

static const uint8_t *skip_group(struct decoder *d, uint32_t tag, const uint8_t *p, const uint8_t *end,
                                 unsigned level) {
    if (level >= CP_MAX_DEPTH)
        return fail(d, CP_TOO_DEEP, p);
    for (;;) {
        uint32_t inner;
        p = read_tag(d, p, end, &inner);
        if (p == NULL)
            return NULL;
        if ((inner & 7) == WIRE_END_GROUP)
            return inner >> 3 == tag >> 3 ? p : fail(d, CP_BAD_GROUP, p);
        p = skip_field(d, inner, p, end, level + 1);
        if (p == NULL)
            return NULL;
    }
}

static const uint8_t *skip_field(struct decoder *d, uint32_t tag, const uint8_t *p, const uint8_t *end,
                                 unsigned level) {
    if (tag >> 3 == 0)
        return fail(d, CP_BAD_FIELD_NUMBER, p);
    uint64_t value;
    size_t size = (tag & 7) == WIRE_64 ? 8 : 4;
    switch (tag & 7) {
    case WIRE_VARINT:
        return read_varint(d, p, end, &value);
    case WIRE_LENGTH:
        p = read_length(d, p, end, &size);
        return p == NULL ? NULL : p + size;
    case WIRE_GROUP:
        return skip_group(d, tag, p, end, level);
    case WIRE_64:
    case WIRE_32:
        return (size_t)(end - p) < size ? fail(d, CP_TRUNCATED, end) : p + size;
    case WIRE_END_GROUP:
        return fail(d, CP_BAD_GROUP, p);
    default:
        return fail(d, CP_BAD_WIRE_TYPE, p);
    }
}

enum cp_code cp_check_unknown(const uint8_t *data, size_t size, unsigned level) {
    struct decoder d;
    d.code = CP_OK;
    const uint8_t *end = data + size;
    while (data != NULL && data < end) {
        uint32_t tag;
        data = read_tag(&d, data, end, &tag);
        if (data != NULL)
            data = skip_field(&d, tag, data, end, level);
    }
    return d.code;
}

size_t cp_field_size(const uint8_t *field, size_t room, unsigned level) {
    struct decoder d;
    d.code = CP_OK;
    uint32_t tag;
    const uint8_t *end = field + room;
    const uint8_t *p = read_tag(&d, field, end, &tag);
    if (p != NULL)
        p = skip_field(&d, tag, p, end, level);
    return p == NULL ? 0 : (size_t)(p - field);
}

size_t cp_copy_field(const uint8_t *field, size_t size, uint8_t *to) {
    /* No piece of it asks for more room than what is left and the slack; an arena without memory makes sure of it. */
    struct cp_arena none;
    cp_arena_init(&none, NULL, 0, 0);
    struct decoder d;
    d.arena = &none;
    d.code = CP_OK;
    struct run run = {.field = {.data = to}, .capacity = size + CP_FIELD_SLACK};
    ProtobufCMessage message = {.n_unknown_fields = 1, .unknown_fields = &run.field};
    uint32_t tag;
    const uint8_t *p = read_tag(&d, field, field + size, &tag);
    if (p != NULL)
        p = keep_unknown(&d, &message, tag, p, field + size, 0);
    return p == NULL ? 0 : run.field.len;
}
