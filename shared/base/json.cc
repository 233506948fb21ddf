/* json.cc - simdjson finds the tokens (its first stage, which also checks the strings' bytes) and walks the
 * structure; what a token says is read here, because numbers must stay exact and broken text must be mended,
 * and simdjson 3.0.1 offers neither. No exception leaves: everything is noexcept and simdjson is asked for
 * error codes. */
#include <simdjson.h>

#include <stdlib.h>
#include <string.h>

extern "C" { /* the base headers are C's */
#include "base/json.h"

#include "base/json_token.h"
#include "base/mem.h"
#include "base/utf8.h"
}

namespace
{

namespace ondemand = simdjson::ondemand;

constexpr size_t KEEP_BYTES = 8u << 20; /* a parser grown beyond this is thrown away */
static_assert(JSON_PADDING >= simdjson::SIMDJSON_PADDING, "simdjson reads this far past the end");

struct reader {
    const struct json_sink *sink;
    char *text;
    size_t n;
    uint64_t repaired;
    int depth;
    size_t failed_at;
    const char *failed; /* why; nullptr = all well */
};

bool fail(reader &r, const char *at, const char *why) noexcept
{
    r.failed = why;
    r.failed_at = at >= r.text && at <= r.text + r.n ? size_t(at - r.text) : r.n;
    return false;
}

bool is_space(char c) noexcept
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* simdjson's token runs up to the next one. */
struct str trim(std::string_view token) noexcept
{
    size_t n = token.size();

    while (n > 0 && is_space(token[n - 1]))
        n--;
    return { token.data(), n };
}

bool read_number(reader &r, struct str token) noexcept
{
    bool whole;
    int64_t value;

    if (!json_number_is(token, &whole))
        return fail(r, token.p, "not a value");
    if (whole && !str_is(token, "-0") && str_i64(token, &value))
        r.sink->on_int(r.sink->ctx, value);
    else
        r.sink->on_number(r.sink->ctx, token);
    return true;
}

bool read_word(reader &r, struct str token) noexcept
{
    if (str_is(token, "null"))
        r.sink->on_null(r.sink->ctx);
    else if (str_is(token, "true"))
        r.sink->on_bool(r.sink->ctx, 1);
    else if (str_is(token, "false"))
        r.sink->on_bool(r.sink->ctx, 0);
    else
        return read_number(r, token);
    return true;
}

/* raw points behind the opening quote. The first stage has seen the closing one: an unclosed string does not
 * get here. */
bool read_string(reader &r, const char *raw, struct str *ret) noexcept
{
    char *begin = r.text + (raw - r.text);
    char *p = begin;

    while (*p != '"' && *p != '\\')
        p++;
    if (*p == '\\') {
        const char *bad = json_unescape(&p, &r.repaired);
        if (bad)
            return fail(r, bad, "bad escape");
    }
    *ret = { begin, size_t(p - begin) };
    return true;
}

/* A value whose token has its end known: most strings have no escape, and memchr says so at once. */
bool read_string_token(reader &r, struct str token, struct str *ret) noexcept
{
    if (token.n < 2 || token.p[token.n - 1] != '"' || memchr(token.p, '\\', token.n))
        return read_string(r, token.p + 1, ret);
    *ret = { token.p + 1, token.n - 2 };
    return true;
}

bool fail_code(reader &r, const char *at, simdjson::error_code code) noexcept
{
    switch (code) {
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return fail(r, at, "text ends early or goes on after its end");
    case simdjson::DEPTH_ERROR:
        return fail(r, at, "too deep");
    default:
        return fail(r, at, "not JSON");
    }
}

bool read_value(reader &r, ondemand::value value) noexcept;

bool read_fields(reader &r, ondemand::object object, uint32_t *ret_count) noexcept
{
    for (auto item : object) {
        ondemand::raw_json_string raw;
        ondemand::value value;
        struct str key;
        simdjson::error_code code = item.key().get(raw);

        if (code)
            return fail_code(r, nullptr, code);
        if (!read_string(r, raw.raw(), &key))
            return false;
        r.sink->on_key(r.sink->ctx, key);
        code = item.value().get(value);
        if (code)
            return fail_code(r, raw.raw(), code);
        if (!read_value(r, value))
            return false;
        ++*ret_count;
    }
    return true;
}

bool read_elements(reader &r, ondemand::array array, uint32_t *ret_count) noexcept
{
    for (auto item : array) {
        ondemand::value value;
        simdjson::error_code code = item.get(value);

        if (code)
            return fail_code(r, nullptr, code);
        if (!read_value(r, value))
            return false;
        ++*ret_count;
    }
    return true;
}

/* `value` is a document or a value of one: both answer get_object() and get_array(). */
template <typename T> bool read_map(reader &r, T &value, const char *at) noexcept
{
    ondemand::object object;
    uint32_t count = 0;
    simdjson::error_code code = value.get_object().get(object);

    if (code)
        return fail_code(r, at, code);
    r.sink->on_map(r.sink->ctx);
    if (!read_fields(r, object, &count))
        return false;
    r.sink->on_map_end(r.sink->ctx, count);
    return true;
}

template <typename T> bool read_array(reader &r, T &value, const char *at) noexcept
{
    ondemand::array array;
    uint32_t count = 0;
    simdjson::error_code code = value.get_array().get(array);

    if (code)
        return fail_code(r, at, code);
    r.sink->on_array(r.sink->ctx);
    if (!read_elements(r, array, &count))
        return false;
    r.sink->on_array_end(r.sink->ctx, count);
    return true;
}

/* Numbers and words are looked at and not taken: the iterator steps over such a token by itself. Over an
 * untaken string it steps together with a colon behind it, so that ["a":,1] would pass: strings are taken. */
template <typename T> bool read_scalar(reader &r, T &value, struct str token) noexcept
{
    struct str s;
    ondemand::raw_json_string raw;

    if (token.p[0] != '"')
        return read_word(r, token);

    simdjson::error_code code = value.get_raw_json_string().get(raw);
    if (code)
        return fail_code(r, token.p, code);
    if (!read_string_token(r, token, &s))
        return false;
    r.sink->on_str(r.sink->ctx, s);
    return true;
}

template <typename T> bool read_any(reader &r, T &value, struct str token) noexcept
{
    if (token.n == 0)
        return fail(r, token.p, "a value is missing");
    if (token.p[0] != '{' && token.p[0] != '[')
        return read_scalar(r, value, token);
    if (++r.depth > JSON_DEPTH_MAX)
        return fail(r, token.p, "too deep");

    bool good = token.p[0] == '{' ? read_map(r, value, token.p) : read_array(r, value, token.p);
    r.depth--;
    return good;
}

bool read_value(reader &r, ondemand::value value) noexcept
{
    return read_any(r, value, trim(value.raw_json_token()));
}

/* After the root: a container must have used up all tokens, a scalar (never taken) must be the only one. */
bool check_end(reader &r, ondemand::document &doc, struct str token) noexcept
{
    if (token.p[0] == '{' || token.p[0] == '[') {
        const char *at;
        if (doc.current_location().get(at) == simdjson::SUCCESS)
            return fail(r, at, "text goes on after its end");
        return true;
    }
    for (const char *p = token.p + token.n; p < r.text + r.n; p++)
        if (!is_space(*p))
            return fail(r, p, "text goes on after its end");
    return true;
}

bool read_document(reader &r, ondemand::document &doc) noexcept
{
    std::string_view raw;
    simdjson::error_code code = doc.raw_json_token().get(raw);

    if (code)
        return fail_code(r, r.text, code);

    struct str token = trim(raw);
    if (!read_any(r, doc, token)) {
        const char *at;
        if (r.failed_at == r.n && doc.current_location().get(at) == simdjson::SUCCESS)
            fail(r, at, r.failed); /* simdjson refused and knows where */
        return false;
    }
    return check_end(r, doc, token);
}

/* The first stage fails for the whole text; people want to know where. */
bool fail_first_stage(reader &r, simdjson::error_code code) noexcept
{
    bool inside = false;

    if (code == simdjson::EMPTY)
        return fail(r, r.text, "no text");
    if (code == simdjson::UNCLOSED_STRING)
        return fail(r, r.text + r.n, "text ends inside a string");
    for (size_t i = 0; i < r.n; i++) {
        char c = r.text[i];

        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (inside && (unsigned char)c < 0x20)
            return fail(r, r.text + i, "control character inside a string");
    }
    return fail(r, r.text, simdjson::error_message(code));
}

/* A copy with every piece of bad UTF-8 replaced; the caller frees. Offsets in errors then count in it. */
char *repair(reader &r) noexcept
{
    char *copy = static_cast<char *>(xmalloc(r.n * 3 + JSON_PADDING));
    size_t have = 0;

    for (size_t i = 0; i < r.n;) {
        size_t step = utf8_step(r.text + i, r.n - i);

        if (step == 0) {
            memcpy(copy + have, UTF8_REPLACEMENT, 3);
            have += 3;
            i += utf8_bad(r.text + i, r.n - i);
            r.repaired++;
        } else {
            memcpy(copy + have, r.text + i, step);
            have += step;
            i += step;
        }
    }
    r.text = copy;
    r.n = have;
    return copy;
}

simdjson::error_code first_stage(reader &r, ondemand::parser &parser, ondemand::document &doc) noexcept
{
    memset(r.text + r.n, 0, JSON_PADDING);
    return parser.iterate(r.text, r.n, r.n + JSON_PADDING).get(doc);
}

bool read_text(reader &r, ondemand::parser &parser) noexcept
{
    ondemand::document doc;
    char *copy = nullptr;
    simdjson::error_code code = first_stage(r, parser, doc);

    if (code == simdjson::UTF8_ERROR) {
        copy = repair(r);
        code = first_stage(r, parser, doc);
    }

    bool good = code ? fail_first_stage(r, code) : read_document(r, doc);
    free(copy);
    return good;
}

} /* namespace */

int json_read(char *text, size_t n, const struct json_sink *sink, struct json_stats *stats, struct err *err)
{
    thread_local ondemand::parser parser;
    const size_t bom = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    reader r = { sink, text + bom, n - bom, 0, 0, 0, nullptr };

    const bool good = read_text(r, parser);
    if (parser.capacity() > KEEP_BYTES)
        parser = ondemand::parser();
    if (!good)
        return err_set(err, ERR_TEMP, "JSON at byte %zu: %s", r.failed_at + bom, r.failed);
    if (stats)
        stats->repaired = r.repaired;
    return 0;
}
