/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPROTO_TESTS_REFERENCE_H
#define CPROTO_TESTS_REFERENCE_H

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

/* What the reference implementation, protobuf's C++ library, makes of some bytes. */
struct Verdict {
    bool accepted = false;
    std::string encoded;
    std::string json;
};

/*
 * Judged by the classes that protoc generates; those made from descriptors at run time differ in what they keep of
 * undeclared enum values and of a map's entries. `with_json`: also fill in the JSON.
 */
Verdict judge(const google::protobuf::Descriptor *type, const uint8_t *data, size_t size, bool with_json);

/*
 * The same for callers in other languages. `encoded`: what somebody else encodes the message as. 0: the reference
 * refuses the message; 1: it accepts and encodes it so; 2: it accepts it and encodes it in another way.
 */
extern "C" int reference_judge(const char *name, const uint8_t *data, size_t size, const uint8_t *encoded,
                               size_t encoded_size);

/* NULL if there is no such message. */
const google::protobuf::Descriptor *find_type(const std::string &name);

/* Random bytes that are nearly a message: `seed` gives the same bytes every time. */
std::string make_message(const google::protobuf::Descriptor *type, uint64_t seed);

#endif
