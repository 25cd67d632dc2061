/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "internal.h"

/*
 * The encoder. It writes from the end of its buffer to the front: fields by falling number, arrays from the last
 * element to the first. So the length of a sub-message is known when it is written, and one pass is enough. The buffer
 * doubles when it is full.
 */

struct encoder {
    struct cp_arena *arena;
    unsigned flags;
    uint8_t *begin;
    uint8_t *at;
    uint8_t *end;
    enum cp_code code;
    size_t path_length;
    struct cp_step path[CP_MAX_DEPTH + 2];
};

static bool refuse(struct encoder *e, enum cp_code code) {
    e->code = code;
    return false;
}

static bool grow(struct encoder *e, size_t size) {
    size_t used = (size_t)(e->end - e->at);
    if (size > INT_MAX || used + size > INT_MAX)
        return refuse(e, CP_NO_MEMORY);
    size_t capacity = 2 * (used + size);
    uint8_t *larger = (uint8_t *)cp_alloc(e->arena, capacity);
    if (larger == NULL)
        return refuse(e, CP_NO_MEMORY);
    if (used != 0)
        memcpy(larger + capacity - used, e->at, used);
    e->begin = larger;
    e->end = larger + capacity;
    e->at = e->end - used;
    return true;
}

static inline bool reserve(struct encoder *e, size_t size) {
    return (size_t)(e->at - e->begin) >= size || grow(e, size);
}

/* Room must have been reserved. */
static inline void put_front_varint(struct encoder *e, uint64_t value) {
    if (value < 0x80) {
        *--e->at = (uint8_t)value;
        return;
    }
    e->at -= varint_size(value);
    put_varint(e->at, value);
}

static inline void put_front_tag(struct encoder *e, const ProtobufCFieldDescriptor *field, enum wire wire) {
    put_front_varint(e, field->id << 3 | wire);
}

/* Elements of a packed array have no tag of their own. */
static bool encode_varint(struct encoder *e, const ProtobufCFieldDescriptor *field, uint64_t value) {
    if (!reserve(e, 15))
        return false;
    put_front_varint(e, value);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) == 0)
        put_front_tag(e, field, WIRE_VARINT);
    return true;
}

static bool encode_fixed(struct encoder *e, const ProtobufCFieldDescriptor *field, const void *value, size_t size) {
    if (!reserve(e, 5 + size))
        return false;
    e->at -= size;
    memcpy(e->at, value, size);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) == 0)
        put_front_tag(e, field, size == 8 ? WIRE_64 : WIRE_32);
    return true;
}

static bool encode_bytes(struct encoder *e, const ProtobufCFieldDescriptor *field, const struct cp_field *extra,
                         const ProtobufCBinaryData *value) {
    if ((extra->flags & CP_FIELD_UTF8) && !(e->flags & CP_TRUST_TEXT) &&
        cp_utf8_check(value->data, value->data + value->len) != value->data + value->len)
        return refuse(e, CP_INVALID_UTF8);
    if (value->len > INT_MAX)
        return refuse(e, CP_NO_MEMORY);
    if (!reserve(e, 10 + value->len))
        return false;
    e->at -= value->len;
    if (value->len != 0)
        memcpy(e->at, value->data, value->len);
    put_front_varint(e, value->len);
    put_front_tag(e, field, WIRE_LENGTH);
    return true;
}

static bool encode_message(struct encoder *e, const ProtobufCMessage *message, const struct cp_message *type,
                           unsigned level);

static bool encode_submessage(struct encoder *e, const ProtobufCFieldDescriptor *field, const struct cp_field *extra,
                              const ProtobufCMessage *sub, unsigned level) {
    if (level >= CP_MAX_DEPTH)
        return refuse(e, CP_TOO_DEEP);
    if (sub == NULL)
        return refuse(e, CP_MISSING_REQUIRED);
    size_t after = (size_t)(e->end - e->at);
    if (!encode_message(e, sub, extra->message, level + 1) || !reserve(e, 10))
        return false;
    put_front_varint(e, (size_t)(e->end - e->at) - after);
    put_front_tag(e, field, WIRE_LENGTH);
    return true;
}

static uint64_t sign_extended(int32_t value) {
    return (uint64_t)(int64_t)value;
}

static bool encode_value(struct encoder *e, const ProtobufCFieldDescriptor *field, const struct cp_field *extra,
                         const void *value, unsigned level) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        return encode_varint(e, field, sign_extended(*(const int32_t *)value));
    case PROTOBUF_C_TYPE_SINT32: {
        uint32_t number = *(const uint32_t *)value;
        return encode_varint(e, field, (number << 1) ^ (0 - (number >> 31)));
    }
    case PROTOBUF_C_TYPE_UINT32:
        return encode_varint(e, field, *(const uint32_t *)value);
    case PROTOBUF_C_TYPE_BOOL:
        return encode_varint(e, field, *(const protobuf_c_boolean *)value != 0);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return encode_varint(e, field, *(const uint64_t *)value);
    case PROTOBUF_C_TYPE_SINT64: {
        uint64_t number = *(const uint64_t *)value;
        return encode_varint(e, field, (number << 1) ^ (0 - (number >> 63)));
    }
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return encode_fixed(e, field, value, 4);
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return encode_fixed(e, field, value, 8);
    case PROTOBUF_C_TYPE_MESSAGE:
        return encode_submessage(e, field, extra, *(ProtobufCMessage *const *)value, level);
    default:
        return encode_bytes(e, field, extra, (const ProtobufCBinaryData *)value);
    }
}

static bool encode_repeated(struct encoder *e, const ProtobufCFieldDescriptor *field, const struct cp_field *extra,
                            const uint8_t *base, unsigned level) {
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    if (count == 0)
        return true;
    const uint8_t *elements = *(const uint8_t *const *)(base + field->offset);
    if ((extra->flags & CP_FIELD_MAP) && count > 1) {
        ProtobufCMessage **sorted = (ProtobufCMessage **)cp_alloc(e->arena, count * sizeof *sorted);
        if (sorted == NULL)
            return refuse(e, CP_NO_MEMORY);
        memcpy(sorted, elements, count * sizeof *sorted);
        if (!cp_sort_entries(e->arena, extra->message, sorted, count))
            return refuse(e, CP_NO_MEMORY);
        elements = (const uint8_t *)sorted;
    }
    size_t size = cp_size_of(field->type);
    size_t after = (size_t)(e->end - e->at);
    for (size_t i = count; i-- > 0;) {
        if (!encode_value(e, field, extra, elements + i * size, level)) {
            e->path[level] = (struct cp_step){.field = field, .index = i};
            return false;
        }
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) {
        if (!reserve(e, 10))
            return false;
        put_front_varint(e, (size_t)(e->end - e->at) - after);
        put_front_tag(e, field, WIRE_LENGTH);
    }
    return true;
}

static bool encode_field(struct encoder *e, const ProtobufCFieldDescriptor *field, const struct cp_field *extra,
                         const ProtobufCMessage *message, bool always, unsigned level) {
    const uint8_t *base = (const uint8_t *)message;
    if (!always && !cp_is_set(field, message)) {
        bool missing = field->label == PROTOBUF_C_LABEL_REQUIRED;
        return missing ? refuse(e, CP_MISSING_REQUIRED) : true;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return encode_repeated(e, field, extra, base, level);
    return encode_value(e, field, extra, base + field->offset, level);
}

static bool encode_message(struct encoder *e, const ProtobufCMessage *message, const struct cp_message *type,
                           unsigned level) {
    ProtobufCBinaryData unknown = cp_unknown(message);
    if (unknown.len != 0) {
        if (!reserve(e, unknown.len))
            return false;
        e->at -= unknown.len;
        memcpy(e->at, unknown.data, unknown.len);
    }
    for (unsigned i = type->descriptor->n_fields; i-- > 0;) {
        const ProtobufCFieldDescriptor *field = &type->descriptor->fields[i];
        /* A map entry has its key and its value, whatever they are. */
        if (!encode_field(e, field, &type->fields[i], message, type->is_map_entry != 0, level)) {
            if (field->label != PROTOBUF_C_LABEL_REPEATED)
                e->path[level] = (struct cp_step){.field = field, .index = SIZE_MAX};
            if (e->path_length < level + 1)
                e->path_length = level + 1;
            return false;
        }
    }
    return true;
}

bool cp_encode(const struct cp_message *type, const ProtobufCMessage *message, struct cp_arena *arena, unsigned flags,
               ProtobufCBinaryData *bytes, struct cp_error *error) {
    struct encoder e;
    e.arena = arena;
    e.flags = flags;
    e.begin = e.at = e.end = NULL;
    e.code = CP_OK;
    e.path_length = 0;
    if (grow(&e, 256) && encode_message(&e, message, type, 0)) {
        bytes->data = e.at;
        bytes->len = (size_t)(e.end - e.at);
        if (bytes->len <= INT_MAX)
            return true;
        e.code = CP_NO_MEMORY;
    }
    *error = (struct cp_error){.code = e.code};
    if (e.path_length != 0) {
        struct cp_step *path = (struct cp_step *)cp_alloc(arena, e.path_length * sizeof *path);
        if (path != NULL) {
            memcpy(path, e.path, e.path_length * sizeof *path);
            error->path = path;
            error->path_length = e.path_length;
        }
    }
    return false;
}
