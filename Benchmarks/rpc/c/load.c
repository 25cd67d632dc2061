/* SPDX-License-Identifier: Apache-2.0 */

/*
 * load PATH CONNECTIONS CALLS SIZE MILLISECONDS [SERVICE]: keeps CALLS calls in flight on each connection for so long,
 * and prints calls  calls/s  p50  p99       (times in nanoseconds) load PATH idle CONNECTIONS: opens them, makes one
 * call on each, says "ready", and waits for the end of its input.
 *
 * A call is bench.Echo/Echo, or SERVICE/Echo, with a protobuf message of SIZE bytes (field 1). One thread: with one
 * connection and one call it blocks in read, otherwise in epoll.
 */
#define _GNU_SOURCE
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

enum { ROOM = 1 << 20, SAMPLES = 1 << 22 };

struct connection {
    int fd;
    uint32_t stream;
    size_t have;
    uint8_t *input;
    /* When each call in flight was sent; by stream id. */
    int64_t *sent;
};

static uint8_t request[ROOM];
static size_t request_size;
static uint8_t *output;
static uint32_t *samples;
static size_t calls, in_flight, slots;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void prepare(size_t size, const char *service) {
    uint8_t head[16];
    size_t at = HEADER, inner = size > 2 ? size - 2 : 0, head_size;
    while (inner > 0 && inner + put_tag(head, 1, inner) > size) {
        inner--;
    }
    head_size = put_tag(head, 1, inner);
    at += put_tag(request + at, 1, strlen(service));
    memcpy(request + at, service, strlen(service));
    at += strlen(service);
    at += put_tag(request + at, 2, 4);
    memcpy(request + at, "Echo", 4);
    at += 4;
    at += put_tag(request + at, 3, head_size + inner);
    memcpy(request + at, head, head_size);
    memset(request + at + head_size, 'x', inner);
    request_size = at + head_size + inner;
    put_header(request, (uint32_t)(request_size - HEADER), 0, REQUEST);
}

static void open_connection(struct connection *c, const char *path) {
    struct sockaddr_un address;
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (unix_address(&address, path) < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror(path);
        exit(1);
    }
    c->stream = 1;
    c->have = 0;
}

static void send_calls(struct connection *c, size_t count, int64_t time) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(output + size, request, request_size);
        store32(output + size + 4, c->stream);
        c->sent[c->stream / 2 % slots] = time;
        c->stream += 2;
        size += request_size;
    }
    if (size > 0 && write_all(c->fd, output, size) < 0) {
        perror("write");
        exit(1);
    }
}

/* Reads once, and returns how many answers have come. */
static size_t take(struct connection *c, int64_t *time) {
    size_t start = 0, count = 0;
    ssize_t got = read(c->fd, c->input + c->have, ROOM - c->have);
    if (got <= 0) {
        fprintf(stderr, "load: the server has closed the connection\n");
        exit(1);
    }
    *time = now();
    c->have += (size_t)got;
    while (c->have - start >= HEADER) {
        const uint8_t *bytes = c->input + start;
        size_t length = load32(bytes);
        if (c->have - start < HEADER + length) {
            break;
        }
        /* Field 2 is the payload; 1 would be an error. */
        if (bytes[8] != RESPONSE || bytes[HEADER] != (2 << 3 | 2)) {
            fprintf(stderr, "load: not the expected answer\n");
            exit(1);
        }
        samples[calls % SAMPLES] = (uint32_t)(*time - c->sent[load32(bytes + 4) / 2 % slots]);
        calls++;
        count++;
        start += HEADER + length;
    }
    c->have -= start;
    if (c->have > 0 && start > 0) {
        memmove(c->input, c->input + start, c->have);
    }
    return count;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void run(struct connection *all, size_t connections, int64_t duration) {
    int epoll = epoll_create1(0);
    int64_t start = now(), time = start, end = start + duration;
    for (size_t i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
        send_calls(&all[i], in_flight, now());
    }
    while (time < end) {
        struct epoll_event events[64];
        int count = 1;
        events[0].data.ptr = all;
        if (connections > 1) {
            count = epoll_wait(epoll, events, 64, -1);
        }
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            size_t answers = take(c, &time);
            if (time < end) {
                send_calls(c, answers, time);
            }
        }
    }
    size_t kept = calls < SAMPLES ? calls : SAMPLES;
    if (kept == 0) {
        exit(1);
    }
    qsort(samples, kept, sizeof(*samples), compare);
    printf("%zu %.1f %u %u\n", calls, (double)calls * 1e9 / (double)(time - start), samples[kept / 2],
           samples[kept * 99 / 100]);
}

int main(int argc, char **argv) {
    struct connection *all;
    size_t connections;
    int idle = argc == 4 && strcmp(argv[2], "idle") == 0;
    if (!idle && argc != 6 && argc != 7) {
        return 64;
    }
    connections = (size_t)atol(argv[idle ? 3 : 2]);
    in_flight = idle ? 1 : (size_t)atol(argv[3]);
    prepare(idle ? 16 : (size_t)atol(argv[4]), argc == 7 ? argv[6] : "bench.Echo");
    for (slots = 1; slots < in_flight * 2; slots *= 2) {
    }
    samples = malloc(SAMPLES * sizeof(*samples));
    output = malloc(request_size * in_flight);
    all = calloc(connections, sizeof(*all));
    for (size_t i = 0; i < connections; i++) {
        int64_t time;
        open_connection(&all[i], argv[1]);
        all[i].input = malloc(ROOM);
        all[i].sent = calloc(slots, sizeof(int64_t));
        if (idle) {
            send_calls(&all[i], 1, now());
            while (take(&all[i], &time) == 0) {
            }
            free(all[i].input);
        }
    }
    if (idle) {
        puts("ready");
        fflush(stdout);
        return getchar() == EOF ? 0 : 1;
    }
    run(all, connections, atol(argv[5]) * 1000000);
    return 0;
}
