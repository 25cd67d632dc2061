/* SPDX-License-Identifier: Apache-2.0
 * System calls and constants that Glibc's Swift module lacks. No policy: each function is one call.
 * One header a subject; this one only gathers them.
 *
 * No header here may define _GNU_SOURCE: Swift builds its Glibc module without it, and clang refuses a program that
 * sees two shapes of fd_set. A function that glibc hides behind the macro is declared by hand, or called by number. */
#ifndef CLINUX_H
#define CLINUX_H

#include "cgroups.h"
#include "errors.h"
#include "files.h"
#include "inotify.h"
#include "memory.h"
#include "overlay.h"
#include "processes.h"
#include "sockets.h"
#include "threads.h"

#endif
