/* SPDX-License-Identifier: Apache-2.0 */

/* protobuf-c with an arena: what it allocates comes from one buffer and is given back at once. */

#include "peer.h"

#include "readers.inc"

static uint8_t *arena_at;
static uint8_t arena[4 << 20] __attribute__((aligned(16)));

static void *arena_alloc(void *data, size_t size) {
    (void)data;
    uint8_t *memory = arena_at;
    arena_at += (size + 15) & ~(size_t)15;
    if (arena_at > arena + sizeof arena)
        abort();
    return memory;
}

static void arena_free(void *data, void *pointer) {
    (void)data;
    (void)pointer;
}

static ProtobufCAllocator allocator = {arena_alloc, arena_free, NULL};

static const ProtobufCMessageDescriptor *descriptor(int message) {
    const ProtobufCMessageDescriptor *const all[] = {
        &mesos__container_id__descriptor,
        &mesos__slave__container_config__descriptor,
        &mesos__slave__container_config__descriptor,
        &mesos__slave__container_launch_info__descriptor,
        &mesos__resource_statistics__descriptor,
    };
    return all[message];
}

static uint64_t read_message(int message, const ProtobufCMessage *decoded) {
    switch (message) {
    case 0:
        return read_mesos__container_id((const Mesos__ContainerID *)decoded);
    case 1:
    case 2:
        return read_mesos__slave__container_config((const Mesos__Slave__ContainerConfig *)decoded);
    case 3:
        return read_mesos__slave__container_launch_info((const Mesos__Slave__ContainerLaunchInfo *)decoded);
    default:
        return read_mesos__resource_statistics((const Mesos__ResourceStatistics *)decoded);
    }
}

static ProtobufCMessage *decode(int message, struct input input) {
    arena_at = arena;
    ProtobufCMessage *decoded = protobuf_c_message_unpack(descriptor(message), &allocator, input.size, input.bytes);
    if (decoded == NULL)
        abort();
    return decoded;
}

static uint64_t encode(const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = (uint8_t *)malloc(size);
    if (bytes == NULL)
        abort();
    protobuf_c_message_pack(message, bytes);
    uint64_t sum = size + bytes[size - 1];
    free(bytes);
    return sum;
}

uint64_t run(int operation, int message, struct input input, long count) {
    uint64_t sum = 0;
    ProtobufCMessage *value = decode(message, input);
    for (long i = 0; i < count; i++) {
        switch (operation) {
        case DECODE:
            sum += decode(message, input) != NULL;
            break;
        case DECODE_READ:
            sum += read_message(message, decode(message, input));
            break;
        case ENCODE:
            sum += encode(value);
            break;
        default:
            sum += encode(decode(message, input));
        }
    }
    return sum;
}

int main(void) {
    return serve();
}
