/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "internal.h"

/* Up to ten bytes. Bits beyond 64 in the tenth byte are dropped, as the reference does. */
const uint8_t *read_varint_slow(struct decoder *d, const uint8_t *p, const uint8_t *end, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (p == end)
            return fail(d, CP_TRUNCATED, p);
        uint8_t byte = *p++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return p;
        }
    }
    return fail(d, CP_BAD_VARINT, p);
}

/* Up to five bytes. Bits beyond 32 in the fifth byte are dropped, as the reference does. */
const uint8_t *read_tag_slow(struct decoder *d, const uint8_t *p, const uint8_t *end, uint32_t *tag) {
    uint32_t result = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (p == end)
            return fail(d, CP_TRUNCATED, p);
        uint8_t byte = *p++;
        result |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *tag = result;
            return p;
        }
    }
    return fail(d, CP_BAD_VARINT, p);
}

/* Up to five bytes and below 2 GiB; what is longer than the rest of the input is an error already here. */
const uint8_t *read_length_slow(struct decoder *d, const uint8_t *p, const uint8_t *end, size_t *length) {
    const uint8_t *start = p;
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (p == end)
            return fail(d, CP_TRUNCATED, p);
        uint8_t byte = *p++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (result > INT_MAX)
                return fail(d, CP_BAD_VARINT, start);
            if (result > (uint64_t)(end - p))
                return fail(d, CP_TRUNCATED, start);
            *length = (size_t)result;
            return p;
        }
    }
    return fail(d, CP_BAD_VARINT, start);
}
