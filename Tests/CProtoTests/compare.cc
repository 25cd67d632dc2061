/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

/*
 * The decoder and the encoder against the reference, in one process: the same verdict and the same bytes when encoded
 * again, whatever the input is.
 *
 * compare SEED COUNT: COUNT random messages of each type.
 * compare SEED COUNT --table: prints them with what the reference makes of them, as rows of cases.tsv.
 */
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "CProto.h"
#include "types.h"
}

namespace pb = google::protobuf;

namespace {

std::string hex(const std::string &bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string out;
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
    return out;
}

/* Empty if both agree. */
std::string difference(const struct cp_message *table, const uint8_t *data, size_t size) {
    Verdict wanted = judge(find_type(table->descriptor->name), data, size, false);
    struct cp_arena arena;
    struct cp_error error;
    cp_arena_init(&arena, nullptr, 0, SIZE_MAX / 4);
    ProtobufCMessage *message = cp_decode(table, data, size, &arena, 0, &error);
    std::string result;
    ProtobufCBinaryData bytes = {0, nullptr};
    if ((message != nullptr) != wanted.accepted) {
        result = wanted.accepted ? "refused, code " + std::to_string(error.code) + " at " + std::to_string(error.offset)
                                 : "accepted";
    } else if (message != nullptr) {
        if (!cp_encode(table, message, &arena, 0, &bytes, &error))
            result = "not encoded, code " + std::to_string(error.code);
        else if (std::string(reinterpret_cast<char *>(bytes.data), bytes.len) != wanted.encoded)
            result = "encoded as " + hex(std::string(reinterpret_cast<char *>(bytes.data), bytes.len)) + "\n  wanted " +
                     hex(wanted.encoded);
    }
    cp_arena_free(&arena);
    return result;
}

/* Cases that say more about a Swift string than about the format: a proto2 string that is not UTF-8. */
bool only_text_is_wrong(const struct cp_message *table, const std::string &bytes) {
    struct cp_arena arena;
    struct cp_error error;
    cp_arena_init(&arena, nullptr, 0, SIZE_MAX / 4);
    bool accepted = cp_decode(table, reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), &arena,
                              CP_ALL_TEXT_UTF8, &error) != nullptr;
    cp_arena_free(&arena);
    return !accepted && error.code == CP_INVALID_UTF8;
}

void print_row(const struct cp_message *table, const std::string &bytes, uint64_t seed) {
    const char *name = table->descriptor->name;
    const auto *data = reinterpret_cast<const uint8_t *>(bytes.data());
    Verdict verdict = judge(find_type(name), data, bytes.size(), true);
    if (verdict.accepted && only_text_is_wrong(table, bytes))
        return;
    std::string again = !verdict.accepted ? "-" : verdict.encoded == bytes ? "=" : hex(verdict.encoded);
    printf("%s_%" PRIu64 "\t%s\twire\t%s\tno\trandom\t%s\t%s\t%s\n", name, seed, name,
           verdict.accepted ? "accept" : "reject", bytes.empty() ? "-" : hex(bytes).c_str(),
           again.empty() ? "-empty" : again.c_str(), verdict.json.empty() ? "-" : verdict.json.c_str());
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 3)
        return 64;
    uint64_t seed = strtoull(argv[1], nullptr, 10);
    uint64_t count = strtoull(argv[2], nullptr, 10);
    bool print = argc > 3 && strcmp(argv[3], "--table") == 0;
    uint64_t accepted = 0, refused = 0, different = 0;
    if (print)
        printf("name\ttype\tclass\tverdict\tsplit\texercises\tbytes\treencoded\tjson\n");
    for (const struct cp_message *table : types) {
        const pb::Descriptor *type = find_type(table->descriptor->name);
        if (table->is_map_entry || type == nullptr)
            continue;
        for (uint64_t i = 0; i < count; i++) {
            std::string bytes = make_message(type, (seed + i) * 1000003 + static_cast<uint64_t>(type->index()));
            const auto *data = reinterpret_cast<const uint8_t *>(bytes.data());
            if (print) {
                print_row(table, bytes, seed + i);
                continue;
            }
            std::string result = difference(table, data, bytes.size());
            if (!result.empty()) {
                different++;
                printf("%s %s: %s\n", type->full_name().c_str(), hex(bytes).c_str(), result.c_str());
            }
            (judge(type, data, bytes.size(), false).accepted ? accepted : refused)++;
        }
    }
    if (!print)
        printf("compare: %" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64 " not as the reference\n", accepted,
               refused, different);
    return different != 0;
}
