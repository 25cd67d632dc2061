/* SPDX-License-Identifier: Apache-2.0
 * Sockets, epoll and eventfd: what Swift cannot import because it is a macro, a union, or a cast. */
#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

/* Swift does not see enumerators that glibc also defines as macros of themselves. */
enum {
    GANTRY_SOCK_STREAM = SOCK_STREAM,
    GANTRY_SOCK_CLOEXEC = SOCK_CLOEXEC,
    GANTRY_SOCK_NONBLOCK = SOCK_NONBLOCK,
    GANTRY_MSG_NOSIGNAL = MSG_NOSIGNAL,
    GANTRY_MSG_DONTWAIT = MSG_DONTWAIT,
    GANTRY_SHUT_WR = SHUT_WR,
};

static const uint32_t GANTRY_EPOLLIN = EPOLLIN;
static const uint32_t GANTRY_EPOLLOUT = EPOLLOUT;
static const uint32_t GANTRY_EPOLLERR = EPOLLERR;
static const uint32_t GANTRY_EPOLLHUP = EPOLLHUP;
static const uint32_t GANTRY_EPOLLPRI = EPOLLPRI;
static const uint32_t GANTRY_EPOLLRDHUP = EPOLLRDHUP;
static const uint32_t GANTRY_EPOLLET = EPOLLET;
static const uint32_t GANTRY_EPOLLONESHOT = EPOLLONESHOT;

/* The address of a path name. `length` counts no NUL. Returns the address length to pass on, or -1 with
 * ENAMETOOLONG: sun_path has 108 bytes and the kernel wants the NUL inside them. */
static inline int gantry_unix_address(struct sockaddr_un *address, const char *path, size_t length) {
    if (length == 0 || length >= sizeof(address->sun_path)) {
        errno = length == 0 ? EINVAL : ENAMETOOLONG;
        return -1;
    }
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return (int)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static inline int gantry_bind_unix(int fd, const struct sockaddr_un *address, int length) {
    return bind(fd, (const struct sockaddr *)address, (socklen_t)length);
}

static inline int gantry_connect_unix(int fd, const struct sockaddr_un *address, int length) {
    return connect(fd, (const struct sockaddr *)address, (socklen_t)length);
}

/* unix(7). `struct ucred` is hidden behind _GNU_SOURCE; it is these three numbers. */
static inline int gantry_peer_credentials(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct {
        int32_t pid;
        uint32_t uid;
        uint32_t gid;
    } credentials = {0, 0, 0};
    socklen_t length = sizeof(credentials);
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return result;
}

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* A pidfd of the process that connected (Linux 6.5), close-on-exec. */
static inline int gantry_peer_pidfd(int fd) {
    int pidfd = -1;
    socklen_t length = sizeof(pidfd);
    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0 ? -1 : pidfd;
}

static inline int gantry_is_unix_listener(int fd) {
    int domain = 0, type = 0, listens = 0;
    socklen_t length = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 || domain != AF_UNIX) {
        return 0;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM) {
        return 0;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0;
}

/* The path of a socket that is bound to one, as the kernel keeps it; -1 if it is not. At most 108 bytes. */
static inline int gantry_socket_path(int fd, char *path) {
    struct sockaddr_un address;
    socklen_t length = sizeof(address);
    size_t size;
    memset(&address, 0, sizeof(address));
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        return -1;
    }
    size = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
    if (size == 0 || address.sun_path[0] == 0) {
        return -1;
    }
    memcpy(path, address.sun_path, size);
    return (int)strnlen(path, size);
}

/* The pending error of a socket (SO_ERROR), or -1. */
static inline int gantry_socket_error(int fd) {
    int value = 0;
    socklen_t length = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0 ? -1 : value;
}

static inline int gantry_accept(int fd) {
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* sendmsg of plain buffers, without SIGPIPE. */
static inline ssize_t gantry_send_vector(int fd, const struct iovec *vector, size_t count) {
    struct msghdr message;
    memset(&message, 0, sizeof(message));
    message.msg_iov = (struct iovec *)(uintptr_t)vector;
    message.msg_iovlen = count;
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Reads, and takes the descriptors that came with the bytes, at most `*count` and GANTRY_MAX_PASSED; `*count` becomes
   how many they are, and -1 if the kernel had to drop some. */
static inline ssize_t gantry_receive_passed(int fd, struct iovec *vector, size_t pieces, int *fds, int *count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * GANTRY_MAX_PASSED)];
    } control;
    struct msghdr message;
    struct cmsghdr *part;
    ssize_t got;
    *count = 0;
    memset(&message, 0, sizeof(message));
    message.msg_iov = vector;
    message.msg_iovlen = pieces;
    message.msg_control = control.space;
    message.msg_controllen = sizeof(control.space);
    got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) {
        return got;
    }
    for (part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        *count = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(part), sizeof(int) * (size_t)*count);
    }
    if (message.msg_flags & MSG_CTRUNC) {
        while (*count > 0) {
            close(fds[--*count]);
        }
        *count = -1;
    }
    return got;
}

/* epoll_event is packed and its data a union: both are awkward in Swift. */
static inline int gantry_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event;
    memset(&event, 0, sizeof(event));
    event.events = events;
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, fd, &event);
}

static inline uint32_t gantry_epoll_events(const struct epoll_event *list, int index) {
    return list[index].events;
}

static inline uint64_t gantry_epoll_token(const struct epoll_event *list, int index) {
    return list[index].data.u64;
}

/* Waits for `nanoseconds`, or for ever when negative. epoll_pwait2: Linux 5.11; not where epoll_wait can say it,
 * because that is what valgrind knows. */
static inline int gantry_epoll_wait(int epoll, struct epoll_event *list, int capacity, int64_t nanoseconds) {
    if (nanoseconds <= 0)
        return epoll_wait(epoll, list, capacity, nanoseconds < 0 ? -1 : 0);
    struct timespec limit;
    limit.tv_sec = (time_t)(nanoseconds / 1000000000);
    limit.tv_nsec = (long)(nanoseconds % 1000000000);
    return epoll_pwait2(epoll, list, capacity, &limit, NULL);
}

#endif
