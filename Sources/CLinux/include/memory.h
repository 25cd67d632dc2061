/* SPDX-License-Identifier: Apache-2.0
 * What the allocator holds: <malloc.h> is not part of Swift's Glibc module. */
#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

#include <malloc.h>
#include <stddef.h>

/* Bytes that are allocated and not freed, in all arenas and in mappings of their own (mallinfo2(3), glibc 2.33). */
static inline size_t gantry_allocated_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

#endif
