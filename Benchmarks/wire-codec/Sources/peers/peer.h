/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A contestant is a program that is started in a directory of messages, one file each, and asked on its standard input:
 * `OPERATION MESSAGE COUNT`. It answers with the processor time that COUNT of them took, in nanoseconds, and a number
 * that depends on what was done, so that it was done; for decode-read all contestants give the same one.
 */
enum { DECODE, DECODE_READ, ENCODE, ROUND_TRIP };

static const char *const operations[] = {"decode", "decode-read", "encode", "round-trip"};
static const char *const messages[] = {"container-id", "container-config", "heavy", "launch-info", "statistics"};

struct input {
    uint8_t *bytes;
    size_t size;
};

#ifdef __cplusplus
extern "C" {
#endif
/* The sum of COUNT operations on one message. */
uint64_t run(int operation, int message, struct input input, long count);
#ifdef __cplusplus
}
#endif

static inline uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline int64_t processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline struct input read_input(const char *name) {
    struct input input = {(uint8_t *)malloc(1 << 20), 0};
    FILE *file = fopen(name, "rb");
    if (file == NULL || input.bytes == NULL) {
        perror(name);
        exit(1);
    }
    input.size = fread(input.bytes, 1, 1 << 20, file);
    fclose(file);
    return input;
}

static inline int index_of(const char *name, const char *const *names, int count) {
    for (int i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    fprintf(stderr, "nothing is called %s\n", name);
    exit(64);
}

static inline int serve(void) {
    char operation[32];
    char message[32];
    long count;
    while (scanf("%31s %31s %ld", operation, message, &count) == 3) {
        struct input input = read_input(message);
        int o = index_of(operation, operations, 4);
        int m = index_of(message, messages, 5);
        int64_t before = processor_time();
        uint64_t sum = run(o, m, input, count);
        printf("%lld %llu\n", (long long)(processor_time() - before), (unsigned long long)sum);
        fflush(stdout);
        free(input.bytes);
    }
    return 0;
}

#endif
