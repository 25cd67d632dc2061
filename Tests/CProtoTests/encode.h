/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_TESTS_ENCODE_H
#define CPROTO_TESTS_ENCODE_H

#include "cproto/codec.h"

enum {
    /* All strings are known to be UTF-8. */
    CP_TRUST_TEXT = 2,
};

/*
 * Encodes what was decoded: known fields by number, maps by key, integers in their shortest form, then the unknown
 * fields in the order in which they came. Gantry's own encoder is in Swift; this one looks at every byte that the
 * decoder has made, under the sanitizers. The bytes lie in the arena. False on failure, with `error` filled in (offset
 * 0).
 */
bool cp_encode(const struct cp_message *type, const ProtobufCMessage *message, struct cp_arena *arena, unsigned flags,
               ProtobufCBinaryData *bytes, struct cp_error *error);

#endif
