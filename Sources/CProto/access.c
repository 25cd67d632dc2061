/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

/* Fields by their descriptors, for everything that is not generated: the two codecs and JSON. */

size_t cp_size_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

/* From here on, in bytes, an array has a block of its own. */
enum { LARGE_ARRAY = 2048 };

void *append(struct cp_arena *arena, void **array, size_t *count, size_t size) {
    size_t n = *count;
    if (n == 0) {
        *array = cp_alloc(arena, 4 * size);
        if (*array == NULL)
            return NULL;
    } else if (n >= 4 && (n & (n - 1)) == 0) {
        void *larger =
            n * size < LARGE_ARRAY ? cp_alloc(arena, 2 * n * size) : cp_arena_enlarge(arena, *array, n * size);
        if (larger == NULL)
            return NULL;
        if (n * size < LARGE_ARRAY)
            memcpy(larger, *array, n * size);
        *array = larger;
    }
    *count = n + 1;
    return (uint8_t *)*array + n * size;
}

void *cp_place(struct cp_arena *arena, ProtobufCMessage *message, const struct cp_message *type, unsigned index) {
    const ProtobufCFieldDescriptor *field = &type->descriptor->fields[index];
    return place_in(arena, message, field, &type->fields[index], cp_size_of(field->type));
}

const ProtobufCFieldDescriptor *cp_missing(const struct cp_message *type, const ProtobufCMessage *message) {
    const struct cp_header *header = (const struct cp_header *)message - 1;
    if ((header->seen & type->required) == type->required)
        return NULL;
    for (unsigned i = 0; i < type->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REQUIRED && (header->seen & UINT64_C(1) << type->fields[i].bit) == 0)
            return field;
    }
    return NULL;
}

bool cp_is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
    const uint8_t *base = (const uint8_t *)message;
    const void *member = base + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + field->quantifier_offset) != 0;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        if (*(const uint32_t *)(base + field->quantifier_offset) != field->id)
            return false;
        return field->type != PROTOBUF_C_TYPE_MESSAGE || *(ProtobufCMessage *const *)member != NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(ProtobufCMessage *const *)member != NULL;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset != 0)
        return *(const protobuf_c_boolean *)(base + field->quantifier_offset) != 0;
    switch (cp_size_of(field->type)) {
    case 4:
        return *(const uint32_t *)member != 0;
    case 8:
        return *(const uint64_t *)member != 0;
    default:
        return ((const ProtobufCBinaryData *)member)->len != 0;
    }
}
