/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_THREADS_H
#define CLINUX_THREADS_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

extern int pthread_setname_np(pthread_t thread, const char *name);

/* Starts a thread with every signal blocked, so that signals reach the thread that waits for them. Returns an errno
 * value, as pthread_create does. `name` is cut to the kernel's 15 bytes. */
static inline int gantry_thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *context) {
    sigset_t all;
    sigset_t before;
    char short_name[16] = {0};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        for (size_t i = 0; i < sizeof(short_name) - 1 && name[i] != 0; i++) {
            short_name[i] = name[i];
        }
        pthread_setname_np(*thread, short_name);
    }
    return error;
}

#endif
