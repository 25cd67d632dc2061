/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

/*
 * The decoder. protobuf-c's own cannot be put in front of bytes from others, so this one takes its place and fills the
 * same structs, driven by the same descriptors.
 *
 * One pass over the input, in the order of the bytes. For each tag: find the field in a table, parse the value, find
 * its place (set the presence flag, switch the oneof, lengthen the array), store it. Strings and bytes are not copied,
 * they point into the input. A sub-message that occurs again is decoded into the message that is already there, so
 * split messages merge without further thought; that is also why required fields are only checked at the end, and only
 * by a walk over the result if the count of incomplete messages says that one may be missing. Map entries are kept as
 * they come; duplicate keys are settled at the end, too.
 *
 * Memory: one struct for each sub-message that occurs and is not empty, at most four times the needed size for an array
 * with its earlier places, and nothing for the content of strings; so it is linear in the input, and the arena's budget
 * bounds the factor (a message of four bytes on the wire may have a struct of a kilobyte).
 *
 * Recursion: one frame for each level of the message, of which there are at most CP_MAX_DEPTH; about 150 bytes each.
 */

/* The wire type of each ProtobufCType. */
static const uint8_t wire_of[] = {
    [PROTOBUF_C_TYPE_INT32] = WIRE_VARINT,   [PROTOBUF_C_TYPE_SINT32] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_SFIXED32] = WIRE_32,    [PROTOBUF_C_TYPE_INT64] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_SINT64] = WIRE_VARINT,  [PROTOBUF_C_TYPE_SFIXED64] = WIRE_64,
    [PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT,  [PROTOBUF_C_TYPE_FIXED32] = WIRE_32,
    [PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT,  [PROTOBUF_C_TYPE_FIXED64] = WIRE_64,
    [PROTOBUF_C_TYPE_FLOAT] = WIRE_32,       [PROTOBUF_C_TYPE_DOUBLE] = WIRE_64,
    [PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,    [PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_STRING] = WIRE_LENGTH,  [PROTOBUF_C_TYPE_BYTES] = WIRE_LENGTH,
    [PROTOBUF_C_TYPE_MESSAGE] = WIRE_LENGTH,
};

/* The bit of cp_header.seen that says that all required bits are set, and that this was counted. */
static const uint64_t COMPLETE = UINT64_C(1) << 63;

static ProtobufCMessage *new_message(struct decoder *d, const struct cp_message *type) {
    if (type->required != 0)
        d->incomplete++;
    return cp_new(d->arena, type);
}

/* The place for a value that has been parsed; NULL if memory is used up. */
static inline void *place(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                          const struct cp_field *extra, size_t size) {
    return place_in(d->arena, message, field, extra, size);
}

static bool store32(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                    const struct cp_field *extra, uint32_t value) {
    void *at = place(d, message, field, extra, sizeof value);
    if (at == NULL)
        return false;
    memcpy(at, &value, sizeof value);
    return true;
}

static bool store64(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                    const struct cp_field *extra, uint64_t value) {
    void *at = place(d, message, field, extra, sizeof value);
    if (at == NULL)
        return false;
    memcpy(at, &value, sizeof value);
    return true;
}

static bool store_varint(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         const struct cp_field *extra, uint64_t value) {
    uint32_t low = (uint32_t)value;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return store64(d, message, field, extra, value);
    case PROTOBUF_C_TYPE_SINT64:
        return store64(d, message, field, extra, (value >> 1) ^ (0 - (value & 1)));
    case PROTOBUF_C_TYPE_SINT32:
        return store32(d, message, field, extra, (low >> 1) ^ (0 - (low & 1)));
    case PROTOBUF_C_TYPE_BOOL:
        return store32(d, message, field, extra, value != 0);
    case PROTOBUF_C_TYPE_ENUM:
        if ((extra->flags & CP_FIELD_CLOSED) &&
            !cp_enum_declares((const ProtobufCEnumDescriptor *)field->descriptor, (int32_t)low))
            return keep_unknown_enum(d, message, field->id, value);
        return store32(d, message, field, extra, low);
    default:
        return store32(d, message, field, extra, low);
    }
}

static const uint8_t *decode_fixed(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                   const struct cp_field *extra, const uint8_t *p, const uint8_t *end, size_t size) {
    if ((size_t)(end - p) < size)
        return fail(d, CP_TRUNCATED, end);
    void *at = place(d, message, field, extra, size);
    if (at == NULL)
        return fail(d, CP_NO_MEMORY, p);
    /* The wire is little-endian, and so are the machines that this runs on. */
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fixed-width values are copied as they are");
    memcpy(at, p, size);
    return p + size;
}

static const uint8_t *decode_bytes(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                   const struct cp_field *extra, const uint8_t *p, const uint8_t *end) {
    size_t size;
    const uint8_t *bytes = read_length(d, p, end, &size);
    if (bytes == NULL)
        return NULL;
    const uint8_t *next = bytes + size;
    bool utf8 = (extra->flags & CP_FIELD_UTF8) || ((extra->flags & CP_FIELD_TEXT) && (d->flags & CP_ALL_TEXT_UTF8));
    if (utf8) {
        const uint8_t *bad = cp_utf8_check(bytes, next);
        if (bad != next)
            return fail(d, CP_INVALID_UTF8, bad);
    }
    void *at = place(d, message, field, extra, sizeof(ProtobufCBinaryData));
    if (at == NULL)
        return fail(d, CP_NO_MEMORY, p);
    ProtobufCBinaryData *data = (ProtobufCBinaryData *)at;
    data->len = size;
    data->data = (uint8_t *)(uintptr_t)bytes;
    return next;
}

static const uint8_t *decode_packed(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                    const struct cp_field *extra, const uint8_t *p, const uint8_t *end) {
    size_t size;
    p = read_length(d, p, end, &size);
    if (p == NULL)
        return NULL;
    end = p + size;
    uint8_t wire = wire_of[field->type];
    while (p < end) {
        if (wire != WIRE_VARINT) {
            p = decode_fixed(d, message, field, extra, p, end, wire == WIRE_64 ? 8 : 4);
        } else {
            uint64_t value;
            const uint8_t *next = read_varint(d, p, end, &value);
            if (next != NULL && !store_varint(d, message, field, extra, value))
                return fail(d, CP_NO_MEMORY, p);
            p = next;
        }
        if (p == NULL)
            return NULL;
    }
    return p;
}

static bool decode_message(struct decoder *d, ProtobufCMessage *message, const struct cp_message *type,
                           const uint8_t *p, const uint8_t *end, unsigned level);

/* The message that a piece of a singular field goes into: the one that is there already, or a new one. */
static ProtobufCMessage *singular(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                  const struct cp_field *extra) {
    ProtobufCMessage **member = (ProtobufCMessage **)member_of(message, field);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *chosen = (uint32_t *)((uint8_t *)message + field->quantifier_offset);
        /* Another member that was here is forgotten; when it comes back it starts empty. */
        if (*chosen != field->id)
            *member = NULL;
        *chosen = field->id;
    } else if (field->label == PROTOBUF_C_LABEL_REQUIRED) {
        cp_header_of(message)->seen |= UINT64_C(1) << extra->bit;
    }
    if (*member == NULL)
        *member = new_message(d, extra->message);
    return *member;
}

/* Notes a map when it gets its second entry. */
static bool note_map(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                     const struct cp_message *entry) {
    if (*count_of(message, field) != 2)
        return true;
    struct map_note *note = (struct map_note *)cp_alloc(d->arena, sizeof *note);
    if (note == NULL)
        return false;
    *note = (struct map_note){.older = d->maps, .message = message, .field = field, .entry = entry};
    d->maps = note;
    return true;
}

/* An entry without a value has an empty one, and what an entry does not know is dropped. */
static bool settle_entry(struct decoder *d, ProtobufCMessage *entry, const struct cp_message *type) {
    entry->n_unknown_fields = 0;
    entry->unknown_fields = NULL;
    const ProtobufCFieldDescriptor *value = &type->descriptor->fields[1];
    if (value->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    ProtobufCMessage **member = (ProtobufCMessage **)member_of(entry, value);
    if (*member == NULL)
        *member = new_message(d, type->fields[1].message);
    return *member != NULL;
}

static const uint8_t *decode_submessage(struct decoder *d, ProtobufCMessage *message,
                                        const ProtobufCFieldDescriptor *field, const struct cp_field *extra,
                                        const uint8_t *p, const uint8_t *end, unsigned level) {
    size_t size;
    const uint8_t *start = p;
    p = read_length(d, p, end, &size);
    if (p == NULL)
        return NULL;
    if (level >= CP_MAX_DEPTH)
        return fail(d, CP_TOO_DEEP, start);
    ProtobufCMessage *sub;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        /*
         * An empty element is the table's own: nothing is ever added to one, and so two bytes of input do not become a
         * struct of a kilobyte.
         */
        bool empty = size == 0 && extra->message->required == 0 && (extra->flags & CP_FIELD_MAP) == 0;
        sub = empty ? (ProtobufCMessage *)(uintptr_t)extra->message->initial : new_message(d, extra->message);
        void **at = (void **)place(d, message, field, extra, sizeof(void *));
        if (sub == NULL || at == NULL)
            return fail(d, CP_NO_MEMORY, start);
        *at = sub;
        if (empty)
            return p;
    } else {
        sub = singular(d, message, field, extra);
        if (sub == NULL)
            return fail(d, CP_NO_MEMORY, start);
    }
    if (!decode_message(d, sub, extra->message, p, p + size, level + 1))
        return NULL;
    if ((extra->flags & CP_FIELD_MAP) &&
        (!settle_entry(d, sub, extra->message) || !note_map(d, message, field, extra->message)))
        return fail(d, CP_NO_MEMORY, start);
    return p + size;
}

static int find_field(const struct cp_message *type, uint32_t number) {
    if (number < type->lookup_size)
        return (int)type->lookup[number] - 1;
    unsigned low = 0;
    unsigned high = type->descriptor->n_fields;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint32_t id = type->descriptor->fields[middle].id;
        if (id == number)
            return (int)middle;
        if (id < number)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static const uint8_t *decode_field(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                   const struct cp_field *extra, const uint8_t *p, const uint8_t *end, unsigned level) {
    switch (wire_of[field->type]) {
    case WIRE_VARINT: {
        uint64_t value;
        const uint8_t *next = read_varint(d, p, end, &value);
        if (next == NULL)
            return NULL;
        return store_varint(d, message, field, extra, value) ? next : fail(d, CP_NO_MEMORY, p);
    }
    case WIRE_64:
        return decode_fixed(d, message, field, extra, p, end, 8);
    case WIRE_32:
        return decode_fixed(d, message, field, extra, p, end, 4);
    default:
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            return decode_submessage(d, message, field, extra, p, end, level);
        return decode_bytes(d, message, field, extra, p, end);
    }
}

/* Notes the step into the field that failed, on the way out. */
static void trace(struct decoder *d, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, unsigned level) {
    if (field == NULL)
        return;
    size_t index = SIZE_MAX;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        index = *count_of(message, field);
        /* A sub-message was appended before it was decoded; other values are appended afterwards. */
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && index > 0)
            index--;
    }
    d->path[level] = (struct cp_step){.field = field, .index = index};
    if (d->path_length < level + 1)
        d->path_length = level + 1;
}

static bool decode_message(struct decoder *d, ProtobufCMessage *message, const struct cp_message *type,
                           const uint8_t *p, const uint8_t *end, unsigned level) {
    const ProtobufCFieldDescriptor *field = NULL;
    while (p < end) {
        field = NULL;
        uint32_t tag;
        const uint8_t *start = p;
        p = read_tag(d, p, end, &tag);
        if (p == NULL)
            goto failed;
        int index = find_field(type, tag >> 3);
        if (index >= 0) {
            field = &type->descriptor->fields[index];
            const struct cp_field *extra = &type->fields[index];
            uint8_t wire = wire_of[field->type];
            if ((tag & 7) == wire) {
                p = decode_field(d, message, field, extra, p, end, level);
                if (p == NULL)
                    goto failed;
                continue;
            }
            if ((tag & 7) == WIRE_LENGTH && wire != WIRE_LENGTH && field->label == PROTOBUF_C_LABEL_REPEATED) {
                p = decode_packed(d, message, field, extra, p, end);
                if (p == NULL)
                    goto failed;
                continue;
            }
        }
        field = NULL;
        const uint8_t *value = p;
        p = keep_unknown(d, message, tag, p, end, level);
        if (p == NULL) {
            /* When the tag itself is wrong, the place is where it begins. */
            if (d->where == value && d->code != CP_TRUNCATED && d->code != CP_NO_MEMORY)
                d->where = start;
            goto failed;
        }
    }
    if (type->required != 0) {
        uint64_t *seen = &cp_header_of(message)->seen;
        if ((*seen & COMPLETE) == 0 && (*seen & type->required) == type->required) {
            *seen |= COMPLETE;
            d->incomplete--;
        }
    }
    return true;
failed:
    trace(d, message, field, level);
    return false;
}

static void report(const struct decoder *d, const uint8_t *data, size_t size, struct cp_error *error) {
    error->code = d->code;
    error->offset = d->where == NULL ? size : (size_t)(d->where - data);
    error->path_length = 0;
    error->path = NULL;
    if (d->path_length == 0)
        return;
    struct cp_step *path = (struct cp_step *)cp_alloc(d->arena, d->path_length * sizeof *path);
    if (path == NULL)
        return;
    memcpy(path, d->path, d->path_length * sizeof *path);
    error->path = path;
    error->path_length = d->path_length;
}

ProtobufCMessage *cp_decode(const struct cp_message *type, const uint8_t *data, size_t size, struct cp_arena *arena,
                            unsigned flags, struct cp_error *error) {
    /* Not initialised as a whole: the path is large, and only read after a failure. */
    struct decoder d;
    d.arena = arena;
    d.flags = flags;
    d.incomplete = 0;
    d.maps = NULL;
    d.code = CP_OK;
    d.where = NULL;
    d.path_length = 0;

    ProtobufCMessage *message = new_message(&d, type);
    if (message == NULL) {
        fail(&d, CP_NO_MEMORY, data);
    } else if (decode_message(&d, message, type, data, data + size, 0) && settle_maps(&d) &&
               (d.incomplete == 0 || check_required(&d, message, type, 0))) {
        return message;
    }
    report(&d, data, size, error);
    return NULL;
}
