/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

static inline bool continues(uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

/* The length of the sequence at `p` by RFC 3629 (no surrogates, nothing over U+10FFFF, shortest form), or 0. */
static size_t sequence(const uint8_t *p, size_t room) {
    uint8_t lead = p[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4 || room < 2)
        return 0;
    if (lead < 0xe0)
        return continues(p[1]) ? 2 : 0;
    if (room < 3)
        return 0;
    if (lead < 0xf0) {
        uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : 0xbf;
        return p[1] >= low && p[1] <= high && continues(p[2]) ? 3 : 0;
    }
    if (room < 4)
        return 0;
    uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
    return p[1] >= low && p[1] <= high && continues(p[2]) && continues(p[3]) ? 4 : 0;
}

const uint8_t *cp_utf8_check(const uint8_t *p, const uint8_t *end) {
    for (;;) {
        /* Almost all text is ASCII: eight bytes at a time. */
        while (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, sizeof word);
            if (word & UINT64_C(0x8080808080808080))
                break;
            p += 8;
        }
        while (p < end && *p < 0x80)
            p++;
        if (p == end)
            return p;
        size_t length = sequence(p, (size_t)(end - p));
        if (length == 0)
            return p;
        p += length;
    }
}
