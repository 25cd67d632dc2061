/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <memory>

namespace pb = google::protobuf;

/* A message that cannot be parsed is what this is for; it need not be logged. */
static pb::LogSilencer silence;

const pb::Descriptor *find_type(const std::string &name) {
    return pb::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
}

Verdict judge(const pb::Descriptor *type, const uint8_t *data, size_t size, bool with_json) {
    Verdict verdict;
    std::unique_ptr<pb::Message> message(pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (!message->ParseFromArray(data, static_cast<int>(size)))
        return verdict;
    verdict.accepted = true;
    {
        pb::io::StringOutputStream stream(&verdict.encoded);
        pb::io::CodedOutputStream coded(&stream);
        /* Maps by key. */
        coded.SetSerializationDeterministic(true);
        message->SerializePartialToCodedStream(&coded);
    }
    if (with_json) {
        /* Otherwise undeclared values of closed enums, which are unknown fields, would show. */
        message->DiscardUnknownFields();
        pb::util::JsonPrintOptions options;
        options.preserve_proto_field_names = true;
        if (!pb::util::MessageToJsonString(*message, &verdict.json, options).ok())
            verdict.json.clear();
    }
    return verdict;
}

int reference_judge(const char *name, const uint8_t *data, size_t size, const uint8_t *encoded, size_t encoded_size) {
    Verdict verdict = judge(find_type(name), data, size, false);
    if (!verdict.accepted)
        return 0;
    return verdict.encoded == std::string(reinterpret_cast<const char *>(encoded), encoded_size) ? 1 : 2;
}
