/* SPDX-License-Identifier: Apache-2.0
 * System calls and constants that Glibc's Swift module lacks. No policy: each function is one call. */
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#endif
