/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_INTERNAL_H
#define CPROTO_INTERNAL_H

#include "cproto/codec.h"

enum wire {
    WIRE_VARINT = 0,
    WIRE_64 = 1,
    WIRE_LENGTH = 2,
    WIRE_GROUP = 3,
    WIRE_END_GROUP = 4,
    WIRE_32 = 5,
};

/* A map field that has more than one entry: its keys are compared when everything is decoded. */
struct map_note {
    struct map_note *older;
    ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *field;
    const struct cp_message *entry;
};

struct decoder {
    struct cp_arena *arena;
    unsigned flags;
    /* Messages made so far that lack a required field; a message that was replaced since counts, too. */
    size_t incomplete;
    struct map_note *maps;

    /* The failure. `path_length` is set by the innermost function that fails, the steps by each on the way out. */
    enum cp_code code;
    const uint8_t *where;
    size_t path_length;
    struct cp_step path[CP_MAX_DEPTH + 2];
};

static inline const uint8_t *fail(struct decoder *d, enum cp_code code, const uint8_t *where) {
    d->code = code;
    d->where = where;
    return NULL;
}

static inline size_t *count_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (size_t *)((uint8_t *)message + field->quantifier_offset);
}

static inline void *member_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (uint8_t *)message + field->offset;
}

/* Arrays hold 4, 8, 16... elements: full whenever the count is such a number, so no capacity is stored. */
void *append(struct cp_arena *arena, void **array, size_t *count, size_t size);

/* The place for a value of a field: presence is noted, an array gets longer. NULL if memory is used up. */
static inline void *place_in(struct cp_arena *arena, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             const struct cp_field *extra, size_t size) {
    void *member = member_of(message, field);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return append(arena, (void **)member, count_of(message, field), size);
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        cp_header_of(message)->seen |= UINT64_C(1) << extra->bit;
    else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        *(uint32_t *)((uint8_t *)message + field->quantifier_offset) = field->id;
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
        *(protobuf_c_boolean *)((uint8_t *)message + field->quantifier_offset) = 1;
    return member;
}

/* The readers return the first byte after what they read, or NULL after calling `fail`. */
const uint8_t *read_varint_slow(struct decoder *d, const uint8_t *p, const uint8_t *end, uint64_t *value);
const uint8_t *read_tag_slow(struct decoder *d, const uint8_t *p, const uint8_t *end, uint32_t *tag);
const uint8_t *read_length_slow(struct decoder *d, const uint8_t *p, const uint8_t *end, size_t *length);

static inline const uint8_t *read_varint(struct decoder *d, const uint8_t *p, const uint8_t *end, uint64_t *value) {
    if (p < end && *p < 0x80) {
        *value = *p;
        return p + 1;
    }
    return read_varint_slow(d, p, end, value);
}

static inline const uint8_t *read_tag(struct decoder *d, const uint8_t *p, const uint8_t *end, uint32_t *tag) {
    if (p < end && *p < 0x80) {
        *tag = *p;
        return p + 1;
    }
    return read_tag_slow(d, p, end, tag);
}

static inline const uint8_t *read_length(struct decoder *d, const uint8_t *p, const uint8_t *end, size_t *length) {
    if (p < end && *p < 0x80 && *p <= end - p - 1) {
        *length = *p;
        return p + 1;
    }
    return read_length_slow(d, p, end, length);
}

/*
 * Takes in the field whose tag was just read from before `p` as an unknown one of `message`; `level` is that of the
 * message.
 */
const uint8_t *keep_unknown(struct decoder *d, ProtobufCMessage *message, uint32_t tag, const uint8_t *p,
                            const uint8_t *end, unsigned level);

/* The undeclared value of a closed enum. */
bool keep_unknown_enum(struct decoder *d, ProtobufCMessage *message, uint32_t number, uint64_t value);

/* Leaves one entry a key in every noted map: the one that came last. */
bool settle_maps(struct decoder *d);

/* Finds a missing required field in what can be reached from the root. */
bool check_required(struct decoder *d, const ProtobufCMessage *message, const struct cp_message *type, unsigned level);

static inline unsigned varint_size(uint64_t value) {
    /* Seven bits a byte: (bits * 9 + 64) / 64 is ceil(bits / 7) for 1...64. */
    unsigned bits = 64u - (unsigned)__builtin_clzll(value | 1);
    return (bits * 9 + 64) / 64;
}

/* Writes `varint_size(value)` bytes. */
static inline uint8_t *put_varint(uint8_t *p, uint64_t value) {
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

#endif
