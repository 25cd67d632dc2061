/* SPDX-License-Identifier: Apache-2.0 */
/* The room is header-only; SwiftPM wants one file to compile. */
#include "CLinux.h"
