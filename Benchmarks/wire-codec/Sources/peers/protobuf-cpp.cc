// SPDX-License-Identifier: Apache-2.0

// protobuf's own C++ with an arena, whose first block is kept from one message to the next.

#include <google/protobuf/arena.h>

#include <string>

#include "peer.h"

#include "readers.inc"

using google::protobuf::Arena;
using google::protobuf::ArenaOptions;

static char block[1 << 20];

static ArenaOptions options() {
    ArenaOptions options;
    options.initial_block = block;
    options.initial_block_size = sizeof block;
    return options;
}

template <typename M> static const M *decode(Arena *arena, struct input input) {
    M *message = Arena::CreateMessage<M>(arena);
    if (!message->ParseFromArray(input.bytes, (int)input.size))
        abort();
    return message;
}

template <typename M> static uint64_t encode(const M *message) {
    std::string bytes;
    if (!message->SerializeToString(&bytes))
        abort();
    return bytes.size() + (uint8_t)bytes.back();
}

template <typename M> static uint64_t run_typed(int operation, struct input input, long count) {
    uint64_t sum = 0;
    M value;
    if (!value.ParseFromArray(input.bytes, (int)input.size))
        abort();
    for (long i = 0; i < count; i++) {
        if (operation == ENCODE) {
            sum += encode(&value);
            continue;
        }
        Arena arena(options());
        const M *message = decode<M>(&arena, input);
        if (operation == DECODE_READ)
            sum += read(*message);
        else
            sum += operation == ROUND_TRIP ? encode(message) : 1;
    }
    return sum;
}

extern "C" uint64_t run(int operation, int message, struct input input, long count) {
    switch (message) {
    case 0:
        return run_typed<mesos::ContainerID>(operation, input, count);
    case 1:
    case 2:
        return run_typed<mesos::slave::ContainerConfig>(operation, input, count);
    case 3:
        return run_typed<mesos::slave::ContainerLaunchInfo>(operation, input, count);
    default:
        return run_typed<mesos::ResourceStatistics>(operation, input, count);
    }
}

int main() {
    return serve();
}
