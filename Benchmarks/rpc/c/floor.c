/* SPDX-License-Identifier: Apache-2.0 */

/*
 * floor blocking|epoll PATH: what bare sockets can do. Answers each request frame with its payload. `blocking` has a
 * thread for each connection, which reads and writes; `epoll` one thread for all, which answers all that a read
 * brought with one write. No limits, no errors, no methods: it only finds the payload and frames it.
 */
#define _GNU_SOURCE
#include "frames.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { ROOM = 1 << 18 };

struct connection {
    int fd;
    size_t have;
    uint8_t *input;
};

static uint8_t output[ROOM + 4096];

/* The answer to one request, if `count` bytes hold it whole; 0 otherwise. */
static size_t answer(const uint8_t *bytes, size_t count, size_t *used, uint8_t *out) {
    size_t length, at = HEADER, size = 0;
    const uint8_t *payload = bytes;
    if (count < HEADER) {
        return 0;
    }
    length = load32(bytes);
    if (count < HEADER + length) {
        return 0;
    }
    while (at < HEADER + length) {
        int field = bytes[at++] >> 3;
        int shift = 0;
        size = 0;
        do {
            size |= (size_t)(bytes[at] & 0x7f) << shift;
            shift += 7;
        } while (bytes[at++] & 0x80);
        payload = bytes + at;
        if (field == 3) {
            break;
        }
        at += size;
    }
    *used = HEADER + length;
    size_t head = put_tag(out + HEADER, 2, size);
    memcpy(out + HEADER + head, payload, size);
    put_header(out, (uint32_t)(head + size), load32(bytes + 4), RESPONSE);
    return HEADER + head + size;
}

/* Reads once and answers what is there; -1 at the end. */
static int serve_once(struct connection *c, uint8_t *out) {
    size_t start = 0, made = 0, used = 0;
    ssize_t got = read(c->fd, c->input + c->have, ROOM - c->have);
    if (got <= 0) {
        return -1;
    }
    c->have += (size_t)got;
    for (;;) {
        size_t size = answer(c->input + start, c->have - start, &used, out + made);
        if (size == 0) {
            break;
        }
        start += used;
        made += size;
    }
    c->have -= start;
    if (c->have > 0) {
        memmove(c->input, c->input + start, c->have);
    }
    return made > 0 ? write_all(c->fd, out, made) : 0;
}

static struct connection *make(int fd) {
    struct connection *c = malloc(sizeof(*c));
    c->fd = fd;
    c->have = 0;
    c->input = malloc(ROOM);
    return c;
}

static void discard(struct connection *c) {
    close(c->fd);
    free(c->input);
    free(c);
}

static void *thread(void *argument) {
    struct connection *c = argument;
    uint8_t *out = malloc(sizeof(output));
    while (serve_once(c, out) == 0) {
    }
    free(out);
    discard(c);
    return NULL;
}

static void serve_blocking(int listener) {
    for (;;) {
        pthread_t id;
        pthread_attr_t attributes;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 64 << 10);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_create(&id, &attributes, thread, make(fd));
        pthread_attr_destroy(&attributes);
    }
}

static void serve_epoll(int listener) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == NULL) {
                int fd = accept(listener, NULL, NULL);
                if (fd < 0) {
                    continue;
                }
                event.data.ptr = make(fd);
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
            } else if (serve_once(c, output) != 0) {
                discard(c);
            }
        }
    }
}

int main(int argc, char **argv) {
    struct sockaddr_un address;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (argc != 3 || unix_address(&address, argv[2]) < 0) {
        return 64;
    }
    unlink(argv[2]);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 4096) < 0) {
        perror("floor");
        return 1;
    }
    if (strcmp(argv[1], "blocking") == 0) {
        serve_blocking(listener);
    }
    serve_epoll(listener);
}
