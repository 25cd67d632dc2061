/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

/* What can only be decided when everything is decoded: duplicate map keys and missing required fields. */

bool cp_enum_declares(const ProtobufCEnumDescriptor *type, int32_t value) {
    /* Runs of consecutive numbers; the element after the last holds the number of values. */
    const ProtobufCIntRange *ranges = type->value_ranges;
    unsigned low = 0;
    unsigned high = type->n_value_ranges;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int64_t offset = (int64_t)value - ranges[middle].start_value;
        if (offset < 0)
            high = middle;
        else if (offset >= (int64_t)(ranges[middle + 1].orig_index - ranges[middle].orig_index))
            low = middle + 1;
        else
            return true;
    }
    return false;
}

static const void *key_of(const struct cp_message *type, const ProtobufCMessage *entry) {
    return (const uint8_t *)entry + type->descriptor->fields[0].offset;
}

static int compare_signed(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_unsigned(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

int cp_compare_keys(const struct cp_message *type, const ProtobufCMessage *a, const ProtobufCMessage *b) {
    const void *x = key_of(type, a);
    const void *y = key_of(type, b);
    switch (type->descriptor->fields[0].type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *s = (const ProtobufCBinaryData *)x;
        const ProtobufCBinaryData *t = (const ProtobufCBinaryData *)y;
        size_t common = s->len < t->len ? s->len : t->len;
        int order = common == 0 ? 0 : memcmp(s->data, t->data, common);
        return order != 0 ? order : compare_unsigned(s->len, t->len);
    }
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_BOOL:
        return compare_signed(*(const int32_t *)x, *(const int32_t *)y);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return compare_unsigned(*(const uint32_t *)x, *(const uint32_t *)y);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return compare_unsigned(*(const uint64_t *)x, *(const uint64_t *)y);
    default:
        return compare_signed(*(const int64_t *)x, *(const int64_t *)y);
    }
}

static void merge(const struct cp_message *type, ProtobufCMessage **from, ProtobufCMessage **to, size_t start,
                  size_t middle, size_t end) {
    size_t left = start;
    size_t right = middle;
    for (size_t i = start; i < end; i++) {
        bool take_left = left < middle && (right >= end || cp_compare_keys(type, from[left], from[right]) <= 0);
        to[i] = take_left ? from[left++] : from[right++];
    }
}

/* A bottom-up merge sort: stable, n log n whatever the keys are, and no recursion. */
bool cp_sort_entries(struct cp_arena *arena, const struct cp_message *type, ProtobufCMessage **entries, size_t count) {
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = cp_compare_keys(type, entries[i - 1], entries[i]) <= 0;
    if (sorted)
        return true;
    ProtobufCMessage **spare = (ProtobufCMessage **)cp_alloc(arena, count * sizeof *spare);
    if (spare == NULL)
        return false;
    ProtobufCMessage **from = entries;
    ProtobufCMessage **to = spare;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t middle = start + width < count ? start + width : count;
            size_t end = middle + width < count ? middle + width : count;
            merge(type, from, to, start, middle, end);
        }
        ProtobufCMessage **other = from;
        from = to;
        to = other;
    }
    if (from != entries)
        memcpy(entries, from, count * sizeof *entries);
    return true;
}

bool settle_maps(struct decoder *d) {
    for (const struct map_note *note = d->maps; note != NULL; note = note->older) {
        uint8_t *base = (uint8_t *)note->message;
        ProtobufCMessage **entries = *(ProtobufCMessage ***)(base + note->field->offset);
        size_t *count = (size_t *)(base + note->field->quantifier_offset);
        if (!cp_sort_entries(d->arena, note->entry, entries, *count)) {
            fail(d, CP_NO_MEMORY, NULL);
            return false;
        }
        size_t kept = 0;
        for (size_t i = 0; i < *count; i++) {
            bool replaced = i + 1 < *count && cp_compare_keys(note->entry, entries[i], entries[i + 1]) == 0;
            if (!replaced)
                entries[kept++] = entries[i];
        }
        *count = kept;
    }
    return true;
}

static bool missing(struct decoder *d, const ProtobufCFieldDescriptor *field, unsigned level) {
    fail(d, CP_MISSING_REQUIRED, NULL);
    d->path[level] = (struct cp_step){.field = field, .index = SIZE_MAX};
    d->path_length = level + 1;
    return false;
}

static bool check_element(struct decoder *d, const ProtobufCMessage *element, const struct cp_message *type,
                          const ProtobufCFieldDescriptor *field, size_t index, unsigned level) {
    if (check_required(d, element, type, level + 1))
        return true;
    d->path[level] = (struct cp_step){.field = field, .index = index};
    return false;
}

static bool check_field(struct decoder *d, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        const struct cp_message *type, unsigned level) {
    const uint8_t *base = (const uint8_t *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = *(const size_t *)(base + field->quantifier_offset);
        ProtobufCMessage *const *elements = *(ProtobufCMessage *const *const *)(base + field->offset);
        for (size_t i = 0; i < count; i++) {
            if (!check_element(d, elements[i], type, field, i, level))
                return false;
        }
        return true;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
        *(const uint32_t *)(base + field->quantifier_offset) != field->id)
        return true;
    const ProtobufCMessage *sub = *(ProtobufCMessage *const *)(base + field->offset);
    return sub == NULL || check_element(d, sub, type, field, SIZE_MAX, level);
}

bool check_required(struct decoder *d, const ProtobufCMessage *message, const struct cp_message *type, unsigned level) {
    const struct cp_header *header = (const struct cp_header *)message - 1;
    for (unsigned i = 0; i < type->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REQUIRED && (header->seen & UINT64_C(1) << type->fields[i].bit) == 0)
            return missing(d, field, level);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && !check_field(d, message, field, type->fields[i].message, level))
            return false;
    }
    return true;
}
