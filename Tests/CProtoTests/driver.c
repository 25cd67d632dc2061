/* SPDX-License-Identifier: Apache-2.0 */

/*
 * driver CASES ROUNDS: the decoder and the encoder under the address and undefined-behaviour sanitizers. Every golden
 * message, whole, cut off at each byte, and with random damage; each input in a block of exactly its size, with large
 * and small budgets. What is accepted must encode, decode and encode to the same bytes. Prints how many were accepted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CProto.h"
#include "types.h"

static void die(const char *what, const char *type) {
    fprintf(stderr, "driver: %s: %s\n", type, what);
    abort();
}

/* True if the input is a message. */
static bool try_input(const struct cp_message *type, const uint8_t *data, size_t size, size_t budget, unsigned flags) {
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (size != 0)
        memcpy(exact, data, size);
    struct cp_arena arena;
    struct cp_error error;
    uint8_t stack[256] __attribute__((aligned(16)));
    cp_arena_init(&arena, budget % 2 == 0 ? stack : NULL, budget % 2 == 0 ? sizeof stack : 0, budget);
    ProtobufCMessage *message = cp_decode(type, exact, size, &arena, flags, &error);
    if (message == NULL) {
        if (error.code == CP_OK || error.offset > size || error.path_length > CP_MAX_DEPTH + 2)
            die("a failure without a place", type->descriptor->name);
        for (size_t i = 0; i < error.path_length; i++) {
            if (error.path[i].field == NULL || error.path[i].field->name == NULL)
                die("a path with a hole", type->descriptor->name);
        }
    } else {
        ProtobufCBinaryData once, twice;
        arena.budget = SIZE_MAX / 4;
        if (!cp_encode(type, message, &arena, 0, &once, &error))
            die("decoded, but cannot be encoded", type->descriptor->name);
        ProtobufCMessage *again = cp_decode(type, once.data, once.len, &arena, flags, &error);
        if (again == NULL || !cp_encode(type, again, &arena, CP_TRUST_TEXT, &twice, &error))
            die("what was encoded cannot be decoded", type->descriptor->name);
        if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
            die("encoding is no fixed point", type->descriptor->name);
    }
    cp_arena_free(&arena);
    free(exact);
    return message != NULL;
}

static uint64_t state = 0x9e3779b97f4a7c15;

static size_t random_below(size_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit == 0 ? 0 : (size_t)(state % limit);
}

static size_t damage(uint8_t *bytes, size_t size, size_t capacity) {
    size_t at = random_below(size + 1);
    switch (random_below(6)) {
    case 0:
        if (at < size)
            bytes[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    case 1:
        if (at < size)
            bytes[at] = (uint8_t)random_below(256);
        return size;
    case 2:
        return at;
    case 3:
        if (at < size) {
            memmove(bytes + at, bytes + at + 1, size - at - 1);
            return size - 1;
        }
        return size;
    case 4:
        if (size + at > capacity)
            return size;
        memcpy(bytes + size, bytes, at);
        return size + at;
    default:
        if (size == capacity)
            return size;
        memmove(bytes + at + 1, bytes + at, size - at);
        bytes[at] = (uint8_t)random_below(256);
        return size + 1;
    }
}

static const struct cp_message *find_type(const char *name) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i]->descriptor->name, name) == 0)
            return types[i];
    }
    return NULL;
}

static size_t from_hex(const char *hex, uint8_t *bytes, size_t capacity) {
    size_t size = 0;
    for (; size < capacity && hex[0] != '\0' && hex[1] != '\0' && hex[0] != '\t'; hex += 2) {
        unsigned value;
        if (sscanf(hex, "%2x", &value) != 1)
            break;
        bytes[size++] = (uint8_t)value;
    }
    return size;
}

/* One line of the table: name, type, class, verdict, split, words, bytes... */
static unsigned run_case(char *line, long rounds) {
    char *field[7];
    for (int i = 0; i < 7; i++)
        field[i] = strsep(&line, "\t");
    const struct cp_message *type = field[6] == NULL ? NULL : find_type(field[1]);
    if (type == NULL || field[6][0] == '@')
        return 0;
    static uint8_t original[64 * 1024], bytes[256 * 1024];
    size_t size = from_hex(field[6], original, sizeof original);

    bool accepted = try_input(type, original, size, 64 << 20, 0);
    if (accepted != (strcmp(field[3], "accept") == 0))
        die("not the verdict of the reference", field[0]);
    unsigned count = accepted;
    for (size_t i = 0; i < size && i < 1024; i++)
        count += try_input(type, original, i, 64 << 20, 0);
    for (size_t budget = 0; budget < 8192; budget += 509)
        count += try_input(type, original, size, budget, 0);
    for (long i = 0; i < rounds; i++) {
        memcpy(bytes, original, size);
        size_t length = size;
        for (size_t n = 1 + random_below(3); n > 0; n--)
            length = damage(bytes, length, sizeof bytes);
        count += try_input(type, bytes, length, 64 << 20, i % 2 == 0 ? 0 : CP_ALL_TEXT_UTF8);
    }
    return count;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 64;
    FILE *cases = fopen(argv[1], "r");
    if (cases == NULL) {
        perror(argv[1]);
        return 66;
    }
    char *line = NULL;
    size_t capacity = 0;
    unsigned accepted = 0;
    ssize_t length = getline(&line, &capacity, cases);
    while ((length = getline(&line, &capacity, cases)) > 0)
        accepted += run_case(line, atol(argv[2]));
    free(line);
    fclose(cases);
    printf("driver: %u inputs were messages\n", accepted);
    return accepted == 0;
}
