/* SPDX-License-Identifier: Apache-2.0 */

/* The little of ttrpc that the C contestants need. */
#ifndef GANTRY_BENCH_FRAMES_H
#define GANTRY_BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEADER = 10, REQUEST = 1, RESPONSE = 2 };

static inline uint32_t load32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap32(value);
}

static inline void store32(uint8_t *bytes, uint32_t value) {
    value = __builtin_bswap32(value);
    memcpy(bytes, &value, sizeof(value));
}

static inline void put_header(uint8_t *bytes, uint32_t length, uint32_t stream, uint8_t type) {
    store32(bytes, length);
    store32(bytes + 4, stream);
    bytes[8] = type;
    bytes[9] = 0;
}

static inline size_t put_varint(uint8_t *bytes, size_t value) {
    size_t count = 0;
    while (value > 0x7f) {
        bytes[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[count++] = (uint8_t)value;
    return count;
}

/* A field of bytes, up to its content. */
static inline size_t put_tag(uint8_t *bytes, int number, size_t length) {
    bytes[0] = (uint8_t)(number << 3 | 2);
    return 1 + put_varint(bytes + 1, length);
}

static inline int unix_address(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(address->sun_path)) {
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

static inline int write_all(int fd, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            return -1;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

#endif
