/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_CODEC_H
#define CPROTO_CODEC_H

#include <stdbool.h>

#include "cproto/arena.h"

enum cp_code {
    CP_OK = 0,
    /* The input ends inside a field, or a length runs past the end of what contains it. */
    CP_TRUNCATED,
    /* A varint of more than ten bytes, a tag or a length of more than five, a length of 2 GiB or more. */
    CP_BAD_VARINT,
    /* Field number 0. */
    CP_BAD_FIELD_NUMBER,
    /* Wire type 6 or 7. */
    CP_BAD_WIRE_TYPE,
    /* A group's end without its start, or that of another group. */
    CP_BAD_GROUP,
    /* More than CP_MAX_DEPTH levels. */
    CP_TOO_DEEP,
    CP_INVALID_UTF8,
    CP_MISSING_REQUIRED,
    /* The arena's budget or the machine's memory is used up. */
    CP_NO_MEMORY,
};

enum {
    /* Strings of proto2 files must be UTF-8, too. The reference accepts other bytes there. */
    CP_ALL_TEXT_UTF8 = 1,
    /* For the encoder: all strings are known to be UTF-8. */
    CP_TRUST_TEXT = 2,
};

/* One step from a message into a field. `index` is SIZE_MAX for fields that are not repeated. */
struct cp_step {
    const ProtobufCFieldDescriptor *field;
    size_t index;
};

struct cp_error {
    enum cp_code code;
    /* Bytes from the start of the input to what is wrong; for a missing required field, the input's length. */
    size_t offset;
    /* From the root to the field that is wrong; empty if the root's own tags are. Lies in the arena. */
    size_t path_length;
    const struct cp_step *path;
};

/*
 * Decodes `size` bytes into a message of `type`. The message lies in the arena, its strings and bytes in `data`: both
 * must stay as long as the message is used. NULL on failure, with `error` filled in.
 */
ProtobufCMessage *cp_decode(const struct cp_message *type, const uint8_t *data, size_t size, struct cp_arena *arena,
                            unsigned flags, struct cp_error *error);

/*
 * Encodes what was decoded: known fields by number, maps by key, integers in their shortest form, then the unknown
 * fields in the order in which they came. The bytes lie in the arena. False on failure, with `error` filled in (offset
 * 0). Swift values have an encoder of their own; this one is for what JSON was read into.
 */
bool cp_encode(const struct cp_message *type, const ProtobufCMessage *message, struct cp_arena *arena, unsigned flags,
               ProtobufCBinaryData *bytes, struct cp_error *error);

/*
 * The size of the one field whose tag stands at `field`, with its tag; 0 if there is no whole field within `room`.
 * `level`: of the message that it belongs to, below the root.
 */
size_t cp_field_size(const uint8_t *field, size_t room, unsigned level);

/*
 * Copies that field with tags, lengths and integers in their shortest form. `to` has room for its size and
 * CP_FIELD_SLACK bytes. Gives the size of the copy.
 */
enum { CP_FIELD_SLACK = 16 };
size_t cp_copy_field(const uint8_t *field, size_t size, uint8_t *to);

/*
 * Are these whole fields, as a decoder takes them? `level`: of the message that they belong to, below the root. CP_OK,
 * or what is wrong.
 */
enum cp_code cp_check_unknown(const uint8_t *data, size_t size, unsigned level);

/*
 * For readers of other formats. The place for a value of field `index`: presence is noted, an array gets one element
 * more. NULL if memory is used up. The value is to be stored there as protobuf-c holds it.
 */
void *cp_place(struct cp_arena *arena, ProtobufCMessage *message, const struct cp_message *type, unsigned index);

/* A required field that was neither decoded nor placed, or NULL. Looks at this message only. */
const ProtobufCFieldDescriptor *cp_missing(const struct cp_message *type, const ProtobufCMessage *message);

/* Is the field to be written? Fields without presence are, if they are not zero; repeated fields, if not empty. */
bool cp_is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);

/* Bytes of one value in protobuf-c's structs. */
size_t cp_size_of(ProtobufCType type);

/* The first byte that is not part of a UTF-8 sequence (RFC 3629), or `end`. */
const uint8_t *cp_utf8_check(const uint8_t *p, const uint8_t *end);

/* Is the value declared? */
bool cp_enum_declares(const ProtobufCEnumDescriptor *type, int32_t value);

/* Puts map entries into the order of their keys (strings byte-wise, numbers by value), equal keys as they came. */
bool cp_sort_entries(struct cp_arena *arena, const struct cp_message *type, ProtobufCMessage **entries, size_t count);

/* Do two entries of one map have the same key? */
int cp_compare_keys(const struct cp_message *type, const ProtobufCMessage *a, const ProtobufCMessage *b);

#endif
