// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include "kernel.h"

#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static struct {
    uint32_t step;
    const char *name;
    const char *origin;
    int error;
} now = {.step = NO_STEP, .name = "start", .origin = ""};

// What failed: two paths and some words. Its pages are not touched before something fails.
static char failure[10 * 1024];

int fail(int error, ...) {
    va_list list;
    size_t length = 0;
    va_start(list, error);
    for (const char *part; (part = va_arg(list, const char *)) != NULL;) {
        size_t more = strnlen(part, sizeof failure - 1 - length);
        memcpy(failure + length, part, more);
        length += more;
    }
    va_end(list);
    failure[length] = '\0';
    now.error = error;
    return -1;
}

int last_error(void) {
    return now.error;
}

void doing(uint32_t step, const char *name, const char *origin) {
    now.step = step;
    now.name = name;
    now.origin = origin;
}

const char *decimal(struct decimal *buffer, uint64_t value) {
    char *at = buffer->text + sizeof buffer->text;
    *--at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return at;
}

static void write_all(int fd, const char *text) {
    // A short or failed write has nowhere to be reported.
    ssize_t ignored = write(fd, text, strlen(text));
    (void)ignored;
}

void write_status(int status) {
    struct decimal buffer;
    write_all(FD_STATUS, decimal(&buffer, (uint64_t)(unsigned)status));
}

void warn(void) {
    // One writev, so that lines of several containers with the same stderr do not mix.
    const char *reason = now.error != 0 ? strerror(now.error) : "";
    const char *parts[] = {"gantry-init: ", now.name, ": ", failure, now.error != 0 ? ": " : "", reason, "\n"};
    enum { COUNT = sizeof parts / sizeof *parts };
    struct iovec line[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        line[i] = (struct iovec){(void *)(uintptr_t)parts[i], strlen(parts[i])};
    }
    ssize_t ignored = writev(STDERR_FILENO, line, COUNT);
    (void)ignored;
}

// The Report message, field by field, behind room for its length.
struct encoder {
    size_t length;
    uint8_t bytes[sizeof failure + 2 * 1024];
};

static void put_varint(struct encoder *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        out->bytes[out->length++] = (uint8_t)(value | 0x80);
    }
    out->bytes[out->length++] = (uint8_t)value;
}

static void put_number(struct encoder *out, unsigned field, uint64_t value) {
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

static void put_text(struct encoder *out, unsigned field, const char *text, size_t limit) {
    size_t length = strnlen(text, limit);
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, length);
    memcpy(out->bytes + out->length, text, length);
    out->length += length;
}

void report(void) {
    struct encoder out;
    out.length = 4;
    put_number(&out, 1, now.step);
    put_text(&out, 2, now.name, 64);
    put_number(&out, 3, (uint64_t)now.error);
    put_text(&out, 4, failure, sizeof failure);
    if (now.origin[0] != '\0') {
        put_text(&out, 5, now.origin, 1024);
    }
    uint32_t length = (uint32_t)(out.length - 4);
    memcpy(out.bytes, &length, 4);
    // One message, smaller than an empty socket's buffer. If the daemon is gone, nobody needs it.
    send(FD_CONTROL, out.bytes, out.length, MSG_NOSIGNAL);
    warn();
}

void die(void) {
    report();
    write_status(1 << 8);
    _exit(1);
}
