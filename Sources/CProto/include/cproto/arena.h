/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_ARENA_H
#define CPROTO_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cproto/table.h"

struct cp_block;

/*
 * Memory that is only ever given back as a whole. Everything that one decode or one encode makes lies here. Aligned to
 * eight bytes, not zeroed. Not for use by two threads at once.
 */
struct cp_arena {
    uint8_t *at;
    uint8_t *end;
    struct cp_block *blocks;
    size_t next_block;
    /* Bytes that may still be taken from malloc. */
    size_t budget;
};

/* `buffer` is the first block and stays the caller's; it may be NULL with a size of 0. */
void cp_arena_init(struct cp_arena *arena, void *buffer, size_t size, size_t budget);
void cp_arena_free(struct cp_arena *arena);

/*
 * A block of this thread's, aligned like malloc's; NULL while somebody on this thread has it. malloc would take longer
 * for a block of this size than a small message takes to be decoded. `give` tells whether it was that block.
 */
enum { CP_SCRATCH_SIZE = 16 * 1024 };
uint8_t *cp_scratch_take(void);
bool cp_scratch_give(const void *block);

/* An arena with its first block: the thread's, or one on the heap. Never NULL. Closed by the thread that opened it. */
struct cp_arena *cp_arena_open(size_t budget);
void cp_arena_close(struct cp_arena *arena);

/* NULL if the budget or the machine's memory is used up. */
void *cp_arena_grow(struct cp_arena *arena, size_t size);

/*
 * An array of `size` bytes gets twice the room: in a block of its own, so that malloc can do it without a copy as long
 * as nothing else asks for a block. NULL as above.
 */
void *cp_arena_enlarge(struct cp_arena *arena, void *array, size_t size);

static inline void *cp_alloc(struct cp_arena *arena, size_t size) {
    size = (size + 7) & ~(size_t)7;
    if (size > (size_t)(arena->end - arena->at))
        return cp_arena_grow(arena, size);
    uint8_t *memory = arena->at;
    arena->at += size;
    return memory;
}

/* What stands in memory before each message of an arena: which required fields have been seen. */
struct cp_header {
    uint64_t seen;
};

/* A message with nothing set; NULL like cp_alloc. */
static inline ProtobufCMessage *cp_new(struct cp_arena *arena, const struct cp_message *type) {
    size_t size = type->descriptor->sizeof_message;
    struct cp_header *header = (struct cp_header *)cp_alloc(arena, sizeof *header + size);
    if (header == NULL)
        return NULL;
    header->seen = 0;
    memcpy(header + 1, type->initial, size);
    return (ProtobufCMessage *)(header + 1);
}

static inline struct cp_header *cp_header_of(ProtobufCMessage *message) {
    return (struct cp_header *)message - 1;
}

/*
 * Unknown fields are kept as one run of bytes, already in the form in which they are encoded again. protobuf-c's
 * message has room for a list; ours has at most one element, with tag 0, and these bytes in `data`.
 */
static inline ProtobufCBinaryData cp_unknown(const ProtobufCMessage *message) {
    ProtobufCBinaryData none = {0, NULL};
    if (message->n_unknown_fields == 0)
        return none;
    ProtobufCBinaryData some = {message->unknown_fields->len, message->unknown_fields->data};
    return some;
}

#endif
