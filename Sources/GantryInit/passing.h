// SPDX-License-Identifier: Apache-2.0
//
// Messages with descriptors over sockets (unix(7), SCM_RIGHTS).
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { PASSED_MAX = 64 };

// Sends `data` with `count` descriptors, which stay the caller's: sendmsg's result. No SIGPIPE.
ssize_t send_descriptors(int socket, const void *data, size_t size, const int *fds, size_t count);

// Receives into `data` and, close-on-exec, into `fds`, which has room for `*count`; then `*count` says how many came,
// in ascending order. recvmsg's result; `flags` gets its flags: MSG_CTRUNC when there were more.
ssize_t receive_descriptors(int socket, void *data, size_t size, int *fds, size_t *count, int *flags);
