/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_H
#define CPROTO_H

#include "cproto/arena.h"
#include "cproto/codec.h"
#include "cproto/table.h"
#include "generated/tables.h"

#endif
