/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_TABLE_H
#define CPROTO_TABLE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the decoder and the encoder must know of a message and protobuf-c's descriptors do not say. One table a message,
 * constant, written by codegen next to protoc-c's output.
 */

enum {
    /* A string. All strings are generated as bytes, so that length and NUL survive; this tells them apart. */
    CP_FIELD_TEXT = 1,
    /* A string of a proto3 file: anything but UTF-8 is an error. */
    CP_FIELD_UTF8 = 2,
    /* A repeated field of map entries. */
    CP_FIELD_MAP = 4,
    /* An enum of a proto2 file: undeclared values go to the unknown fields. */
    CP_FIELD_CLOSED = 8,
};

struct cp_message;

struct cp_field {
    /* The table of a sub-message or map entry; NULL for every other type. */
    const struct cp_message *message;
    uint8_t flags;
    /* A required field's bit in cp_message.required. */
    uint8_t bit;
};

struct cp_message {
    const ProtobufCMessageDescriptor *descriptor;
    /* The message with nothing set: protobuf-c's INIT macro as an object. */
    const void *initial;
    /* In step with descriptor->fields, which are sorted by number. */
    const struct cp_field *fields;
    /* For field numbers below `lookup_size`: index in `fields` plus one, 0 for undeclared numbers. */
    const uint8_t *lookup;
    uint32_t lookup_size;
    uint32_t is_map_entry;
    /* One bit for each required field. */
    uint64_t required;
};

/* The largest number of levels below the root, of sub-messages and unknown groups together. */
enum { CP_MAX_DEPTH = 100 };

#endif
