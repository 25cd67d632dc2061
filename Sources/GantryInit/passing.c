// SPDX-License-Identifier: Apache-2.0
#include "passing.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(PASSED_MAX * sizeof(int))];
};

ssize_t send_descriptors(int socket, const void *data, size_t size, const int *fds, size_t count) {
    union control control;
    struct iovec part = {(void *)(uintptr_t)data, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        size_t length = count * sizeof *fds;
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = (socklen_t)CMSG_LEN(length);
        memcpy(CMSG_DATA(&control.header), fds, length);
        message.msg_control = &control;
        message.msg_controllen = (socklen_t)CMSG_SPACE(length);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t receive_descriptors(int socket, void *data, size_t size, int *fds, size_t *count, int *flags) {
    union control control;
    struct iovec part = {data, size};
    // Without the padding behind the last one: the kernel would put one more there.
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = (socklen_t)CMSG_LEN(*count * sizeof *fds)};
    *count = 0;
    ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (length < 0) {
        return length;
    }
    *flags = message.msg_flags;
    // The kernel puts all descriptors of a message into one header, and no other kind was asked for.
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
        memcpy(fds, CMSG_DATA(header), *count * sizeof *fds);
    }
    return length;
}
