/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <cstring>

/*
 * Messages as no encoder writes them: fields in any order, singular ones several times, sub-messages in pieces,
 * integers in more bytes than they need, packed and not, wrong wire types, unknown fields and groups, undeclared enum
 * values, map entries with parts missing, doubled or turned around, text that is not UTF-8, and sometimes damage.
 */

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

namespace {

class Maker {
  public:
    explicit Maker(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d) {
        next();
        /* How wild this message is, as a whole: most are refused for one fault among many fields. */
        wild_ = one_in(3) ? 0 : one_in(2) ? 1 : 4;
    }

    std::string message(const pb::Descriptor *type, int level) {
        std::string out;
        for (int i = 0; i < type->field_count(); i++) {
            const Field *field = type->field(i);
            bool wanted = field->is_required() ? !odd(60) : one_in(level < 3 ? 2 : 4);
            if (!wanted || (level > 12 && field->message_type() == type))
                continue;
            std::string text;
            int times = field->is_repeated() ? 1 + below(3) : odd(6) ? 2 : 1;
            for (int n = 0; n < times; n++)
                occurrence(field, level, text);
            /* Somewhere else than in the order of the numbers. */
            if (odd(4))
                out.insert(0, text);
            else
                out += text;
        }
        while (odd(4))
            unknown(type, out, 0);
        return out;
    }

    std::string damaged(std::string bytes) {
        if (wild_ < 4 || !one_in(3))
            return bytes;
        size_t at = static_cast<size_t>(below(static_cast<uint32_t>(bytes.size() + 1)));
        switch (below(5)) {
        case 0:
            bytes.resize(at);
            break;
        case 1:
            if (at < bytes.size())
                bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
            break;
        case 2:
            bytes.insert(at, 1, static_cast<char>(below(256)));
            break;
        case 3:
            if (at < bytes.size())
                bytes.erase(at, 1);
            break;
        default:
            bytes += bytes.substr(0, at);
        }
        return bytes;
    }

    bool one_in(uint32_t n) {
        return below(n) == 0;
    }

  private:
    uint64_t state_;
    uint32_t wild_;

    uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }

    uint32_t below(uint32_t n) {
        return static_cast<uint32_t>((next() >> 16) % n);
    }

    /* Something unusual, more often in wild messages and never in tame ones. */
    bool odd(uint32_t n) {
        return wild_ != 0 && below(n * 4) < wild_;
    }

    void varint(std::string &out, uint64_t value, int longest = 10) {
        std::string bytes;
        do {
            bytes.push_back(static_cast<char>((value & 0x7f) | 0x80));
            value >>= 7;
        } while (value != 0);
        if (odd(12)) {
            while (static_cast<int>(bytes.size()) < longest && !one_in(3))
                bytes.push_back(static_cast<char>(0x80));
        }
        bytes.back() = static_cast<char>(bytes.back() & 0x7f);
        out += bytes;
    }

    void tag(std::string &out, uint32_t number, uint32_t wire) {
        varint(out, number << 3 | wire, 5);
    }

    void bytes(std::string &out, const std::string &content) {
        varint(out, content.size(), 5);
        out += content;
    }

    uint64_t number() {
        static const uint64_t edges[] = {0,
                                         1,
                                         2,
                                         127,
                                         128,
                                         0x7fffffff,
                                         0x80000000,
                                         0xffffffff,
                                         0x100000000,
                                         0x7fffffffffffffff,
                                         0x8000000000000000,
                                         0xffffffffffffffff};
        switch (below(4)) {
        case 0:
            return edges[below(12)];
        case 1:
            return next() >> below(64);
        case 2:
            return 0 - static_cast<uint64_t>(below(1000));
        default:
            return below(1000);
        }
    }

    uint64_t fraction() {
        static const uint64_t edges[] = {0,
                                         0x8000000000000000,
                                         0x3ff0000000000000,
                                         0x7ff0000000000000,
                                         0xfff0000000000000,
                                         0x7ff8000000000000,
                                         0x7ff0000000000001,
                                         0xffffffffffffffff,
                                         1,
                                         0x3fb999999999999a,
                                         0x7fefffffffffffff};
        if (one_in(2))
            return edges[below(11)];
        double value = static_cast<double>(static_cast<int64_t>(number())) / 8;
        uint64_t bits = next();
        if (!one_in(3))
            memcpy(&bits, &value, sizeof bits);
        return bits;
    }

    std::string text() {
        static const char *const pieces[] = {"a",
                                             "web",
                                             "/var/lib",
                                             "\xc3\xa9",
                                             "\xe2\x82\xac",
                                             "\xf0\x9f\x90\xb3",
                                             "\xef\xbb\xbf",
                                             "\x7f",
                                             "\"\\/",
                                             "\n\r\t\b\f",
                                             "<&>",
                                             "\xe2\x80\xa8",
                                             "\xed\x9f\xbf",
                                             "\xee\x80\x80",
                                             "\xef\xbf\xbf",
                                             "\xf4\x8f\xbf\xbf"};
        static const char *const wrong[] = {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xff"};
        std::string out;
        for (uint32_t n = below(5); n > 0; n--)
            out += pieces[below(16)];
        if (odd(20))
            out.push_back('\0');
        if (odd(40))
            out += wrong[below(6)];
        if (one_in(30))
            out.append(below(300), 'x');
        return out;
    }

    uint64_t scalar(const Field *field) {
        if (field->type() == Field::TYPE_BOOL && !odd(10))
            return below(2);
        if (field->type() == Field::TYPE_ENUM && !odd(10))
            return static_cast<uint64_t>(static_cast<int64_t>(
                field->enum_type()
                    ->value(static_cast<int>(below(static_cast<uint32_t>(field->enum_type()->value_count()))))
                    ->number()));
        if (field->cpp_type() == Field::CPPTYPE_INT32 && !odd(10))
            return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(number())));
        if (field->cpp_type() == Field::CPPTYPE_UINT32 && !odd(10))
            return static_cast<uint32_t>(number());
        return number();
    }

    void fixed(std::string &out, uint64_t value, size_t size) {
        out.append(reinterpret_cast<const char *>(&value), size);
    }

    void packed(const Field *field, std::string &out) {
        std::string content;
        for (uint32_t n = below(5); n > 0; n--) {
            if (field->type() == Field::TYPE_DOUBLE)
                fixed(content, fraction(), 8);
            else
                varint(content, scalar(field));
        }
        tag(out, static_cast<uint32_t>(field->number()), 2);
        bytes(out, content);
    }

    void entry(const Field *field, int level, std::string &out) {
        const pb::Descriptor *type = field->message_type();
        std::string key, value, content;
        occurrence(type->field(0), level + 1, key);
        occurrence(type->field(1), level + 1, value);
        if (odd(8))
            occurrence(type->field(1), level + 1, value);
        content = odd(4) ? value + key : odd(8) ? key : odd(8) ? value : key + value;
        if (odd(8))
            unknown(type, content, 0);
        bytes(out, content);
    }

    void occurrence(const Field *field, int level, std::string &out) {
        uint32_t id = static_cast<uint32_t>(field->number());
        if (odd(30)) {
            /* Another wire type than the field's. */
            stray(id, below(4), out, 0);
            return;
        }
        switch (field->type()) {
        case Field::TYPE_MESSAGE: {
            tag(out, id, 2);
            if (field->is_map())
                return entry(field, level, out);
            std::string content = message(field->message_type(), level + 1);
            if (!field->is_repeated() && odd(5)) {
                /* In two pieces, cut where a second message of the type begins. */
                bytes(out, content);
                tag(out, id, 2);
                content = one_in(2) ? "" : message(field->message_type(), level + 1);
            }
            return bytes(out, content);
        }
        case Field::TYPE_STRING:
            tag(out, id, 2);
            return bytes(out, text());
        case Field::TYPE_BYTES: {
            tag(out, id, 2);
            std::string content;
            for (uint32_t n = below(12); n > 0; n--)
                content.push_back(static_cast<char>(next() >> 40));
            return bytes(out, content);
        }
        case Field::TYPE_DOUBLE:
            if (field->is_repeated() && odd(4))
                return packed(field, out);
            tag(out, id, 1);
            return fixed(out, fraction(), 8);
        default:
            if (field->is_repeated() && odd(4))
                return packed(field, out);
            tag(out, id, 0);
            return varint(out, scalar(field));
        }
    }

    void unknown(const pb::Descriptor *type, std::string &out, int depth) {
        uint32_t id = one_in(3) ? 1 + below(0x1fffffff) : 1 + below(200);
        if (type->FindFieldByNumber(static_cast<int>(id)) == nullptr)
            stray(id, below(6), out, depth);
    }

    void stray(uint32_t id, uint32_t kind, std::string &out, int depth) {
        switch (kind) {
        case 0:
            tag(out, id, 0);
            return varint(out, number());
        case 1:
            tag(out, id, 1);
            return fixed(out, next(), 8);
        case 2:
            tag(out, id, 2);
            return bytes(out, text());
        case 3:
            tag(out, id, 5);
            return fixed(out, next(), 4);
        default:
            tag(out, id, 3);
            for (uint32_t n = below(4); n > 0 && depth < 6; n--)
                stray(1 + below(50), below(6), out, depth + 1);
            tag(out, odd(20) ? id + 1 : id, 4);
        }
    }
};

} // namespace

std::string make_message(const pb::Descriptor *type, uint64_t seed) {
    Maker maker(seed);
    return maker.damaged(maker.message(type, 0));
}
