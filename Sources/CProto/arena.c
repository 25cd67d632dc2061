/* SPDX-License-Identifier: Apache-2.0 */
#include "cproto/arena.h"

#include <stdbool.h>
#include <stdlib.h>

struct cp_block {
    struct cp_block *older;
    /* It holds one array and nothing else. */
    size_t is_array;
};

enum {
    FIRST_BLOCK = 4 * 1024,
    LARGEST_BLOCK = 1024 * 1024,
};

void cp_arena_init(struct cp_arena *arena, void *buffer, size_t size, size_t budget) {
    arena->at = (uint8_t *)buffer;
    arena->end = size == 0 ? arena->at : arena->at + size;
    arena->blocks = NULL;
    arena->next_block = FIRST_BLOCK;
    arena->budget = budget;
}

void cp_arena_free(struct cp_arena *arena) {
    struct cp_block *block = arena->blocks;
    while (block != NULL) {
        struct cp_block *older = block->older;
        free(block);
        block = older;
    }
    arena->blocks = NULL;
    arena->at = arena->end = NULL;
}

static _Thread_local struct {
    _Alignas(16) uint8_t block[CP_SCRATCH_SIZE];
    bool taken;
} scratch;

uint8_t *cp_scratch_take(void) {
    if (scratch.taken)
        return NULL;
    scratch.taken = true;
    return scratch.block;
}

bool cp_scratch_give(const void *block) {
    if (block != scratch.block)
        return false;
    scratch.taken = false;
    return true;
}

struct cp_arena *cp_arena_open(size_t budget) {
    size_t size = CP_SCRATCH_SIZE;
    uint8_t *block = cp_scratch_take();
    if (block == NULL) {
        size = 2048;
        block = (uint8_t *)malloc(size);
        if (block == NULL)
            abort();
    }
    struct cp_arena *arena = (struct cp_arena *)(void *)block;
    size_t used = (sizeof *arena + 7) / 8 * 8;
    cp_arena_init(arena, block + used, size - used, budget);
    return arena;
}

void cp_arena_close(struct cp_arena *arena) {
    cp_arena_free(arena);
    if (!cp_scratch_give(arena))
        free(arena);
}

/* Blocks double in size, so that there are few; what does not fit into the next one gets a block of its own size. */
void *cp_arena_grow(struct cp_arena *arena, size_t size) {
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t needed = (size + 7) / 8 * 8 + sizeof(struct cp_block);
    size_t wanted = arena->next_block > needed ? arena->next_block : needed;
    if (wanted > arena->budget)
        wanted = needed;
    if (wanted > arena->budget)
        return NULL;
    struct cp_block *block = (struct cp_block *)malloc(wanted);
    if (block == NULL)
        return NULL;
    arena->budget -= wanted;
    block->older = arena->blocks;
    block->is_array = 0;
    arena->blocks = block;
    if (arena->next_block < LARGEST_BLOCK)
        arena->next_block *= 2;
    uint8_t *memory = (uint8_t *)(block + 1);
    uint8_t *end = (uint8_t *)block + wanted;
    /* Go on in the block that has more room. */
    uint8_t *rest = memory + (needed - sizeof *block);
    if (arena->at == NULL || end - rest >= arena->end - arena->at) {
        arena->at = rest;
        arena->end = end;
    }
    return memory;
}

void *cp_arena_enlarge(struct cp_arena *arena, void *array, size_t size) {
    struct cp_block *block = arena->blocks;
    bool in_place = block != NULL && block->is_array && (void *)(block + 1) == array;
    /* What is there already was taken from the budget. */
    size_t more = in_place ? size : 2 * size + sizeof *block;
    if (size > SIZE_MAX / 8 || more > arena->budget)
        return NULL;
    struct cp_block *larger = (struct cp_block *)realloc(in_place ? block : NULL, 2 * size + sizeof *block);
    if (larger == NULL)
        return NULL;
    arena->budget -= more;
    if (!in_place) {
        memcpy(larger + 1, array, size);
        larger->older = block;
        larger->is_array = 1;
    }
    arena->blocks = larger;
    return larger + 1;
}
